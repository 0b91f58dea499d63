import { filter, ignoreElements, map, merge, NEVER, type Observable, share } from 'rxjs';
import {
  cogroupWithStore,
  countWithStore,
  filterValues,
  grouped,
  joinTable,
  joinTablesByForeignKey,
  mapTable,
  selectKey,
  to,
  windowTumbling,
} from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import { layOut } from '../../src/commit/layout';
import { keyValueStore, windowStore } from '../../src/state/definition';
import { foreignKeyStore } from '../../src/state/foreign-key-definition';
import { planTopology, type Plan } from '../../src/task/plan';
import type { KafkaRecord } from '../../src/model/record';
import type { Task, Topology } from '../../src/task/topology';
import { manualClock } from '../../src/time/manual-clock';

const clicks = topic('clicks', { key: string, value: string });
const orders = topic('orders', { key: string, value: string });
const byPage = internalTopic('by-page', clicks);
const byUser = internalTopic('by-user', clicks);
const perMinute = { size: 60_000 };
const counts = keyValueStore('counts', { key: string, value: int64 });
const others = keyValueStore('others', { key: string, value: int64 });
const windowed = windowStore('windowed', { key: string, value: int64, windows: perMinute });
const results = topic('results', counts.output);
const windowResults = topic('window-results', windowed.output);

const plan = (topology: Topology): Plan => planTopology(topology, manualClock());

describe('planning a topology', () => {
  it('finds sources, stores and sinks', () => {
    const found = plan(({ stream, store }) => stream(clicks).pipe(countWithStore(store(counts)), to(results)));
    expect(found.sources.map(({ name }) => name)).toEqual(['clicks']);
    expect(found.stores.map(({ name }) => name)).toEqual(['counts']);
    expect(found.sinks).toEqual(['results']);
  });

  it('names every cell that will travel in the offset metadata', () => {
    const found = plan(({ stream, store }) =>
      stream(clicks).pipe(windowTumbling(perMinute), countWithStore(store(windowed), { emit: 'close' }), to(windowResults)),
    );
    expect(found.cells.length).toBeGreaterThan(0);
    expect(new Set(found.cells.map(({ store }) => store))).toEqual(new Set(['windowed']));
  });

  it('orders repartitions by their edges, upstream first', () => {
    const found = plan(({ stream, store, repartition }) =>
      stream(clicks).pipe(repartition(byPage), filter(Boolean), repartition(byUser), countWithStore(store(counts)), to(results)),
    );
    expect(found.repartitions.map(({ topic, upstream }) => [topic.name, upstream])).toEqual([
      ['by-page', [{ name: 'clicks', internal: false }]],
      ['by-user', [{ name: 'by-page', internal: true }]],
    ]);
    expect(found.meetings).toEqual([
      { operator: 'countWithStore', kind: 'store', name: 'counts', inputs: [{ name: 'by-user', internal: true }] },
    ]);
  });

  it('sees which inputs meet in a store', () => {
    const found = plan(({ stream, store }) => merge(stream(clicks), stream(orders)).pipe(countWithStore(store(counts)), to(results)));
    expect(found.meetings[0]?.inputs.map(({ name }) => name)).toEqual(['clicks', 'orders']);
  });

  it('sees all streams of a cogroup meet in its one store, those behind share() too', () => {
    const found = plan(({ stream, store, repartition }) => {
      const pages = stream(clicks).pipe(repartition(byPage), share());
      const plus = (count: number): number => count + 1;
      const together = cogroupWithStore(store(counts), { initial: () => 0, of: [grouped(stream(orders), plus), grouped(pages, plus)] });
      return merge(pages.pipe(countWithStore(store(others)), to(results)), together.pipe(to(results)));
    });
    expect(found.meetings).toEqual([
      { operator: 'countWithStore', kind: 'store', name: 'others', inputs: [{ name: 'by-page', internal: true }] },
      {
        operator: 'cogroupWithStore',
        kind: 'store',
        name: 'counts',
        inputs: [
          { name: 'orders', internal: false },
          { name: 'by-page', internal: true },
        ],
      },
    ]);
  });

  it('names the clock of each stream of a cogroup in windows', () => {
    const found = plan(({ stream, store }) => {
      const counting = (source: typeof clicks) => grouped(stream(source).pipe(windowTumbling(perMinute)), (count: number) => count + 1);
      return cogroupWithStore(store(windowed), { initial: () => 0, of: [counting(clicks), counting(orders)] }).pipe(to(windowResults));
    });
    expect(found.cells.map(({ name }) => name)).toEqual(expect.arrayContaining(['streamTime0', 'streamTime1']));
  });

  it('sees behind share() what lies upstream of the second subscriber', () => {
    const found = plan(({ stream, store, repartition }) => {
      const shared = stream(clicks).pipe(
        selectKey((value) => value),
        repartition(byPage),
        share(),
      );
      return merge(
        shared.pipe(countWithStore(store(counts)), to(results)),
        shared.pipe(filter(Boolean), countWithStore(store(others)), to(results)),
      );
    });
    expect(found.meetings.map(({ inputs }) => inputs)).toEqual([
      [{ name: 'by-page', internal: true }],
      [{ name: 'by-page', internal: true }],
    ]);
  });

  it('sees what lies upstream of a table that is used twice, also through operators that keep nothing', () => {
    const profiles = topic('profiles', { key: string, value: string });
    const found = plan(({ stream, table }) => {
      const people = table(profiles);
      const joined = stream(clicks).pipe(
        joinTable(
          mapTable(people, (name) => name.length),
          (_, length) => length,
        ),
      );
      return merge(
        mapTable(people, () => 1).changes.pipe(
          map((change) => change.withValue(change.value ?? 0)),
          to(results),
        ),
        joined.pipe(to(results)),
      );
    });
    expect(found.meetings.find(({ operator }) => operator === 'joinTable')?.inputs.map(({ name }) => name)).toEqual(['profiles', 'clicks']);
  });

  it('sees what lies upstream of a table whose changes were followed before, by no operator of ours', () => {
    const profiles = topic('profiles', { key: string, value: string });
    const found = plan(({ stream, table }) => {
      const people = table(profiles);
      const joined = stream(clicks).pipe(joinTable(people, () => 1));
      return merge(people.changes.pipe(ignoreElements()), joined.pipe(to(results)));
    });
    expect(found.meetings.find(({ operator }) => operator === 'joinTable')?.inputs.map(({ name }) => name)).toEqual(['profiles', 'clicks']);
  });

  it('sees what lies upstream of a merge of tables that are used elsewhere', () => {
    const [profiles, addresses] = [topic('profiles', { key: string, value: string }), topic('addresses', { key: string, value: string })];
    const found = plan(({ table, store }) => {
      const all = [table(profiles), table(addresses)];
      const counted = merge(...all.map(({ changes }) => changes)).pipe(countWithStore(store(counts)), to(results));
      return merge(...all.map(({ changes }) => changes.pipe(ignoreElements())), counted);
    });
    expect(found.meetings.find(({ name }) => name === 'counts')?.inputs.map(({ name }) => name)).toEqual(['profiles', 'addresses']);
  });

  it.each<[string, (task: Task) => Observable<KafkaRecord<string, string>>]>([
    ['a source', ({ stream }) => stream(clicks)],
    ['a repartition', ({ stream, repartition }) => stream(orders).pipe(repartition(byPage))],
    ['an operator', ({ stream }) => stream(clicks).pipe(filterValues(() => true))],
    ['a join', ({ stream, table }) => stream(clicks).pipe(joinTable(table(orders), (value) => value))],
  ])('sees what lies behind a share() of %s that was subscribed by no operator of ours', (_, sourceOf) => {
    const alone = plan((task) => sourceOf(task).pipe(countWithStore(task.store(counts)), to(results)));
    const shared = plan((task) => {
      const source = sourceOf(task).pipe(share());
      return merge(source.pipe(ignoreElements()), source.pipe(countWithStore(task.store(counts)), to(results)));
    });
    const inputs = ({ meetings }: Plan): unknown => meetings.find(({ name }) => name === 'counts')?.inputs;
    expect(inputs(shared)).toEqual(inputs(alone));
    expect(shared.feeds.find(({ name }) => name === 'counts')).toEqual(alone.feeds.find(({ name }) => name === 'counts'));
  });

  it('lays out the internal topics of a join by foreign key by the table that reads each', () => {
    const [offers, products] = [topic('offers', { key: string, value: string }), topic('products', { key: string, value: string })];
    const pairs = foreignKeyStore('pairs', { key: string, foreignKey: string });
    const found = plan(({ table, store }) =>
      joinTablesByForeignKey(table(offers), table(products), store(pairs), {
        foreignKey: (offer) => offer,
        join: () => 1,
      }).changes.pipe(
        map((change) => change.withValue(change.value ?? 0)),
        to(results),
      ),
    );
    const counts = new Map([
      ['offers', 3],
      ['products', 2],
    ]);
    const partitions = new Map(layOut(found, 'app', counts).owned.map((each) => [each.topic, each.partitions]));
    expect(partitions.get('app-pairs-subscriptions-repartition')).toBe(2);
    expect(partitions.get('app-pairs-answers-repartition')).toBe(3);
    expect(found.repartitions.map(({ topic: { name }, upstream }) => [name, upstream.map((input) => input.name)])).toEqual([
      ['pairs-subscriptions', ['offers']],
      ['pairs-answers', ['pairs-subscriptions', 'products']],
    ]);
  });

  it('refuses a topology without partitioned input', () => {
    expect(() => plan(() => NEVER)).toThrow(expect.objectContaining({ code: 'NO_INPUT' }));
  });

  it('refuses a source that nobody subscribes to, and names it', () => {
    const topology: Topology = ({ stream }) => {
      stream(orders);
      return stream(clicks).pipe(to(clicks));
    };
    expect(() => plan(topology)).toThrow(
      expect.objectContaining({ code: 'NO_SUBSCRIBERS', message: expect.stringContaining('"orders"') as string }),
    );
  });

  it('refuses two stateful operators on one store', () => {
    const topology: Topology = ({ stream, store }) =>
      merge(
        stream(clicks).pipe(countWithStore(store(counts)), to(results)),
        stream(clicks).pipe(countWithStore(store(counts)), to(results)),
      );
    expect(() => plan(topology)).toThrow(expect.objectContaining({ code: 'STORE_IN_USE' }));
  });

  it('refuses a second concurrent subscription of a stateful operator and says share()', () => {
    const topology: Topology = ({ stream, store }) => {
      const counted = stream(clicks).pipe(countWithStore(store(counts)));
      return merge(counted.pipe(to(results)), counted.pipe(to(results)));
    };
    expect(() => plan(topology)).toThrow(
      expect.objectContaining({ code: 'STORE_IN_USE', message: expect.stringContaining('share()') as string }),
    );
  });

  it('refuses two definitions with one name', () => {
    const twin = keyValueStore('counts', { key: string, value: int64 });
    const topology: Topology = ({ stream, store }) =>
      merge(stream(clicks).pipe(countWithStore(store(counts)), to(results)), stream(clicks).pipe(countWithStore(store(twin)), to(results)));
    expect(() => plan(topology)).toThrow(expect.objectContaining({ code: 'STORE_IN_USE' }));
  });

  it('refuses handles asked for after the assembly', () => {
    let late: (() => unknown) | undefined;
    plan((task) => {
      late = () => task.stream(orders);
      return task.stream(clicks).pipe(to(clicks));
    });
    expect(late).toThrow(expect.objectContaining({ code: 'ASSEMBLY_ONLY' }));
  });
});
