/** Programs people will want to write, each as short as it is here. */
import * as t from 'io-ts';
import { filter, firstValueFrom, lastValueFrom, map, merge, type Observable, Subject, take } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import {
  aggregateWithStore,
  branch,
  type Codec,
  countWithStore,
  filterValues,
  float64,
  int64,
  internalTopic,
  json,
  type KafkaRecord,
  keyValueStore,
  type LateRecord,
  mapValues,
  mapWithStore,
  millrace,
  minutes,
  reduceWithStore,
  seconds,
  string,
  type Task,
  to,
  topic,
  type Topology,
  windowStore,
  windowTumbling,
} from 'millrace';
import { memoryStore, outgoing, record, testTopology } from 'millrace/testing';

const Click = t.type({ user: t.string, page: t.string });
type Click = t.TypeOf<typeof Click>;
const Order = t.type({ id: t.string, product: t.string });
const clicks = topic('clicks', { key: string, value: json(Click) });
const orders = topic('orders', { key: string, value: json(Order) });

// Click counts per user.
const clicksPerUser = keyValueStore('clicks-per-user', { key: string, value: int64 });
const clickCounts = topic('click-counts', clicksPerUser.output);
export const counts: Topology = ({ stream, store }) => stream(clicks).pipe(countWithStore(store(clicksPerUser)), to(clickCounts));

// Top ten pages per minute: two stages, two stores, the minute stated once.
const Ranked = t.type({ page: t.string, count: t.number });
const perMinute = { size: minutes(1), grace: seconds(10) };
const pageCounts = windowStore('page-counts', { key: string, value: int64, windows: perMinute });
const top10 = keyValueStore('top-10', { key: int64, value: json(t.array(Ranked)) });
const topPages = topic('top-pages', top10.output);
const byPage = internalTopic('by-page', clicks);
const byMinute = internalTopic('by-minute', { key: int64, value: json(Ranked) });
export const topTen: Topology = ({ stream, store, repartition }) =>
  stream(clicks).pipe(
    repartition(byPage, (click) => click.page),
    windowTumbling(perMinute),
    countWithStore(store(pageCounts), { emit: 'close' }),
    map((r) => r.withKey(r.key.start).withValue({ page: r.key.key, count: r.value })),
    repartition(byMinute),
    aggregateWithStore(store(top10), {
      initial: () => [],
      add: (top, page) => [...top, page].sort((x, y) => y.count - x.count).slice(0, 10),
    }),
    to(topPages),
  );

// Rolling average and anomaly: the step sees the value and the state.
const Stat = t.type({ n: t.number, mean: t.number, m2: t.number });
const prices = topic('prices', { key: string, value: float64 });
const priceStats = keyValueStore('price-stats', { key: string, value: json(Stat) });
const anomalies = topic('anomalies', { key: string, value: json(t.type({ price: t.number, score: t.number })) });
export const anomaly: Topology = ({ stream, store }) =>
  stream(prices).pipe(
    mapWithStore(store(priceStats), {
      initial: () => ({ n: 0, mean: 0, m2: 0 }),
      step: ({ n, mean, m2 }, price) => {
        const next = mean + (price - mean) / (n + 1);
        const score = n < 30 ? 0 : Math.abs(price - mean) / Math.sqrt(m2 / n);
        return [
          { n: n + 1, mean: next, m2: m2 + (price - mean) * (price - next) },
          { price, score },
        ];
      },
    }),
    filterValues(({ score }) => score > 3),
    to(anomalies),
  );

// Highest price per minute.
const highest = windowStore('highest', { key: string, value: float64, windows: perMinute });
export const peaks: Topology = ({ stream, store }) =>
  stream(prices).pipe(
    windowTumbling(perMinute),
    reduceWithStore(store(highest), { reduce: Math.max, emit: 'close' }),
    to(topic('highest', highest.output)),
  );

// Three ways and the rest.
const [web, mobile, tv, others] = [topic('web', clicks), topic('mobile', clicks), topic('tv', clicks), topic('others', clicks)] as const;
export const threeWays: Topology = ({ stream }) => {
  const by = branch(stream(clicks), {
    web: (c) => c.page.startsWith('w'),
    mobile: (c) => c.page.startsWith('m'),
    tv: (c) => c.page.startsWith('t'),
  });
  return merge(by.web.pipe(to(web)), by.mobile.pipe(to(mobile)), by.tv.pipe(to(tv)), by.rest.pipe(to(others)));
};

// A feed of committed results.
const app = millrace({ applicationId: 'shop', brokers: ['localhost:9092'] });
declare const socket: { send(text: string): void };
app.outputs(topPages).subscribe(({ key, value }) => socket.send(JSON.stringify({ minute: key, pages: value.map((p) => p.page) })));

// A service that owns the life of the app.
export class Analytics {
  private done?: Promise<unknown>;

  async onApplicationBootstrap(): Promise<void> {
    this.done = lastValueFrom(app.run(counts), { defaultValue: undefined });
    await firstValueFrom(
      app.state$.pipe(
        filter((s) => s === 'running'),
        take(1),
      ),
    );
  }

  async onModuleDestroy(): Promise<void> {
    await app.close({ within: seconds(10) });
    await this.done;
  }
}

// Marble tests.
declare function expectEqual(x: unknown, y: unknown): void;
new TestScheduler((x, y) => expectEqual(x, y)).run(({ cold, expectObservable }) => {
  const click = (user: string, time: number) => record(user, { user, page: 'p' }, time);
  const counted = cold('-a-b|', { a: click('u', 1), b: click('u', 2) }).pipe(countWithStore(memoryStore(clicksPerUser)), to(clickCounts));
  expectObservable(counted).toBe('-x-y|', { x: outgoing(clickCounts, 'u', 1, 1), y: outgoing(clickCounts, 'u', 2, 2) });

  const late = new Subject<LateRecord<string, Click>>();
  const windowed = cold('-a-b-c-d|', { a: click('u', 1), b: click('u', 70_001), c: click('u', 2), d: click('u', 70_002) }).pipe(
    windowTumbling(perMinute),
    countWithStore(memoryStore(pageCounts), { emit: 'close', late }),
  );
  expectObservable(windowed.pipe(map((r) => r.value))).toBe('---x----|', { x: 1 });
  expectObservable(late.pipe(map((l) => l.record.timestamp))).toBe('-----l', { l: 2 });
});

// A whole topology.
const test = testTopology(topTen, { partitions: 4 });
test.pipe(clicks, record('u', { user: 'u', page: 'p' }, 1), record('u', { user: 'u', page: 'p' }, 80_000));
expectEqual(test.read(topPages)[0]?.value.length, 1);
expectEqual(test.store(top10).get(0)?.at(0)?.page, 'p');

// Dynamic routing among named topics.
export const routing: Topology = ({ stream }) =>
  stream(clicks).pipe(to([web, mobile, tv], (click) => (click.page.startsWith('w') ? web : tv)));

// An operator of one's own: a function of the source, so that everything inside is inferred.
const sessionsPerUser = (name: string) => keyValueStore(name, { key: string, value: int64 });
export const countVisits =
  ({ store }: Task, name: string) =>
  (views: Observable<KafkaRecord<string, Click>>) =>
    views.pipe(
      filterValues((view) => view.page !== 'health'),
      countWithStore(store(sessionsPerUser(name))),
    );
export const rollingCount = <K, V>({ store }: Task, name: string, key: Codec<K>) =>
  countWithStore<K, V>(store(keyValueStore(name, { key, value: int64 })));
export const ownOperators: Topology = (task) =>
  merge(
    task.stream(clicks).pipe(countVisits(task, 'visits'), to(clickCounts)),
    task.stream(clicks).pipe(rollingCount(task, 'rolling', string), to(clickCounts)),
  );

// Two topics merged.
const activity = topic('activity', { key: string, value: string });
export const merged: Topology = ({ stream }) =>
  merge(stream(clicks), stream(orders)).pipe(
    mapValues((v) => ('page' in v ? v.page : v.id)),
    to(activity),
  );

// Late records to a topic, in the same transaction.
const lateClicks = topic('late-clicks', clicks);
export const lateToTopic: Topology = ({ stream, store, repartition }) => {
  const late = new Subject<LateRecord<string, Click>>();
  return merge(
    stream(clicks).pipe(
      repartition(byPage, (click) => click.page),
      windowTumbling(perMinute),
      countWithStore(store(pageCounts), { emit: 'close', late }),
      to(topic('page-counts', pageCounts.output)),
    ),
    late.pipe(
      map((l) => l.record),
      to(lateClicks),
    ),
  );
};

// Union events narrowed by a guard, and by inference; with the record in view.
const A = t.type({ kind: t.literal('a'), a: t.number });
const B = t.type({ kind: t.literal('b'), b: t.number });
const events = topic('events', { key: string, value: json(t.union([A, B])) });
const onlyA = topic('only-a', { key: string, value: json(A) });
export const byGuard: Topology = ({ stream }) => stream(events).pipe(filterValues(A.is), to(onlyA));
export const byInference: Topology = ({ stream }) =>
  stream(events).pipe(
    filterValues((v) => v.kind === 'a'),
    to(onlyA),
  );
export const withRecord: Topology = ({ stream }) =>
  stream(events).pipe(
    filterValues((v, r) => v.kind === 'a' && r.key.length > 1 && r.timestamp > 0),
    to(events),
  );

// State of a union type.
const Status = t.union([t.literal('idle'), t.literal('busy')]);
const status = keyValueStore('status', { key: string, value: json(Status) });
export const unionState: Topology = ({ stream, store }) =>
  stream(clicks).pipe(aggregateWithStore(store(status), { initial: () => 'idle', add: () => 'busy' }), to(topic('status', status.output)));

// Keyless input.
const raw = topic('raw', { value: json(Click) });
export const keyless: Topology = ({ stream, store, repartition }) =>
  stream(raw).pipe(
    repartition(internalTopic('by-user', clicks), (c) => c.user),
    countWithStore(store(clicksPerUser)),
    to(clickCounts),
  );
