/** What types must catch: each line below must not compile. */
import * as t from 'io-ts';
import { map } from 'rxjs';
import {
  aggregateWithStore,
  countWithStore,
  filterValues,
  int64,
  internalTopic,
  json,
  keyValueStore,
  mapWithStore,
  millrace,
  minutes,
  reduceWithStore,
  selectKey,
  string,
  type Task,
  to,
  topic,
  type Topology,
  windowStore,
  windowTumbling,
} from 'millrace';
import { memoryStore, outgoing, record } from 'millrace/testing';

const Click = t.type({ user: t.string, page: t.string });
const Order = t.type({ id: t.string, product: t.string });
const clicks = topic('clicks', { key: string, value: json(Click) });
const orders = topic('orders', { key: string, value: json(Order) });
const byPage = internalTopic('by-page', clicks);
const raw = topic('raw', { value: json(Click) });
const [web, mobile] = [topic('web', clicks), topic('mobile', clicks)] as const;
const clicksPerUser = keyValueStore('clicks-per-user', { key: string, value: int64 });
const clickCounts = topic('click-counts', clicksPerUser.output);
const perMinute = { size: minutes(1) };
const pageCounts = windowStore('page-counts', { key: string, value: int64, windows: perMinute });

// @ts-expect-error forgot to(): a KafkaRecord is no Outgoing
export const forgotTo: Topology = ({ stream }) => stream(clicks);

export const notRepartitioned: Topology = ({ stream, store }) =>
  stream(clicks).pipe(
    // @ts-expect-error re-keyed but not repartitioned: 'moved' is not 'placed'
    selectKey((click) => click.page),
    countWithStore(store(clicksPerUser)),
    to(clickCounts),
  );

export const notRepartitionedByMap: Topology = ({ stream, store }) =>
  stream(clicks).pipe(
    // @ts-expect-error the same through plain RxJS
    map((r) => r.withKey(r.value.page)),
    countWithStore(store(clicksPerUser)),
    to(clickCounts),
  );

export const windowsOfMoved: Topology = ({ stream, store }) =>
  stream(clicks).pipe(
    // @ts-expect-error windows take placed records only
    selectKey((click) => click.page),
    windowTumbling(perMinute),
    countWithStore(store(pageCounts)),
    to(topic('o', pageCounts.output)),
  );

export const withoutWindows: Topology = ({ stream, store }) =>
  stream(clicks).pipe(
    // @ts-expect-error a window store needs windowed records
    countWithStore(store(pageCounts)),
    to(topic('o', pageCounts.output)),
  );

export const windowsForKeyValue: Topology = ({ stream, store }) =>
  stream(clicks).pipe(
    // @ts-expect-error windowed records need a window store
    windowTumbling(perMinute),
    countWithStore(store(clicksPerUser)),
    to(clickCounts),
  );

export const wrongTopic: Topology = ({ stream }) =>
  stream(clicks).pipe(
    // @ts-expect-error the value is a click, not an order
    to(orders),
  );

// @ts-expect-error null goes through nullable(): the text "null" is not a tombstone
export const textNull = topic('v', { key: string, value: json(t.union([Click, t.null])) });

export const toInternal: Topology = ({ stream }) =>
  stream(clicks).pipe(
    // @ts-expect-error internal topics are not written with to()
    to(byPage),
  );

// @ts-expect-error nor read with stream()
export const fromInternal = ({ stream }: Task) => stream(byPage);

export const countByNoKey: Topology = ({ stream, store }) =>
  stream(raw).pipe(
    // @ts-expect-error a keyless topic cannot be counted by key
    countWithStore(store(clicksPerUser)),
    to(clickCounts),
  );

export const chosenElsewhere: Topology = ({ stream }) =>
  stream(clicks).pipe(
    // @ts-expect-error a topic of another value (one of the same type that is not in the list is a run-time error)
    to([web, mobile], (): typeof orders => orders),
  );

// @ts-expect-error a hopping window is not tumbling
export const hopping = windowTumbling({ size: 10, advance: 5 });

const loose = keyValueStore('loose', { key: string, value: json(t.partial({ a: t.number })) });
export const partial = ({ stream, store }: Task) =>
  stream(clicks).pipe(
    aggregateWithStore(store(loose), { initial: () => ({}), add: (x) => ({ ...x, a: 1 }) }),
    map((r) => r.value.a),
  );

// @ts-expect-error the aggregate is a number
aggregateWithStore(memoryStore(clicksPerUser), { initial: () => 'zero', add: (n) => n });

// @ts-expect-error what reduces two numbers gives a number
reduceWithStore(memoryStore(clicksPerUser), { reduce: () => 'more' });

// @ts-expect-error the next state is a number
mapWithStore(memoryStore(clicksPerUser), { initial: () => 0, step: () => ['one', 1] });

// @ts-expect-error there is no such moment
countWithStore(memoryStore(pageCounts), { emit: 'sometimes' });

// @ts-expect-error a key-value store has no windows to close
countWithStore(memoryStore(clicksPerUser), { emit: 'close' });

// @ts-expect-error a window store says its windows
windowStore('w', { key: string, value: int64 });

export const filtersByNumber: Topology = ({ stream }) =>
  stream(clicks).pipe(
    // @ts-expect-error a predicate answers yes or no
    filterValues((click) => click.page.length),
    to(web),
  );

declare function takesText(text: string): void;
const app = millrace({ applicationId: 'shop', brokers: ['localhost:9092'] });
// @ts-expect-error outputs are typed
app.outputs(clickCounts).subscribe(({ value }) => takesText(value));

// @ts-expect-error the expected output in a test is typed too
outgoing(clickCounts, 'u', 'one', 1);

// @ts-expect-error a record has a time
record('u', 'one');
