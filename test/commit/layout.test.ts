import { merge } from 'rxjs';
import { countWithStore, joinTablesByForeignKey, to, toTable } from '../../operators';
import { nullable } from '../../src/codec/nullable';
import { int64, string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import { layOut, partitionsOf } from '../../src/commit/layout';
import { keyValueStore } from '../../src/state/definition';
import { foreignKeyStore } from '../../src/state/foreign-key-definition';
import { planTopology } from '../../src/task/plan';
import type { Topology } from '../../src/task/topology';
import { manualClock } from '../../src/time/manual-clock';

const clicks = topic('clicks', { key: string, value: string });
const orders = topic('orders', { key: string, value: string });
const byPage = internalTopic('by-page', clicks);
const byPageInTwo = internalTopic('by-page', { ...clicks, partitions: 2 });
const counts = keyValueStore('counts', { key: string, value: int64 });
const results = topic('results', counts.output);
const texts = topic('texts', { key: string, value: nullable(string) });

const layout = (topology: Topology, sizes: Readonly<Record<string, number>>) =>
  layOut(planTopology(topology, manualClock()), 'app', new Map(Object.entries(sizes)));

const countClicks: Topology = ({ stream, store }) => stream(clicks).pipe(countWithStore(store(counts)), to(results));
const countByPage: Topology = ({ stream, store, repartition }) =>
  stream(clicks).pipe(repartition(byPage), countWithStore(store(counts)), to(results));

describe('laying a plan out on a cluster', () => {
  it('makes as many tasks as the largest input has partitions', () => {
    const found = layout(({ stream }) => merge(stream(clicks), stream(orders)).pipe(to(clicks)), { clicks: 3, orders: 5 });
    expect(found.tasks).toBe(5);
    expect(partitionsOf(found, 4)).toEqual([{ topic: 'orders', partition: 4 }]);
  });

  it('names changelogs and repartition topics as Kafka Streams does', () => {
    const found = layout(countByPage, { clicks: 4 });
    expect(found.owned.map(({ topic, kind }) => [topic, kind])).toEqual([
      ['app-by-page-repartition', 'repartition'],
      ['app-counts-changelog', 'changelog'],
    ]);
  });

  it('gives a repartition topic the largest upstream count, or the declared one', () => {
    expect(layout(countByPage, { clicks: 4 }).owned.map(({ partitions }) => partitions)).toEqual([4, 4]);
    const declared: Topology = ({ stream, store, repartition }) =>
      stream(clicks).pipe(repartition(byPageInTwo), countWithStore(store(counts)), to(results));
    expect(layout(declared, { clicks: 4 }).owned.map(({ partitions }) => partitions)).toEqual([2, 2]);
  });

  it('W18: refuses inputs that meet with different counts, naming both topics, both counts and the remedy', () => {
    const meeting: Topology = ({ stream, store }) => merge(stream(clicks), stream(orders)).pipe(countWithStore(store(counts)), to(results));
    expect(() => layout(meeting, { clicks: 3, orders: 5 })).toThrow(
      expect.objectContaining({
        code: 'CO_PARTITION',
        message: expect.stringMatching(/"clicks" \(3 .*"orders" \(5 .*repartition\(\)/) as string,
      }),
    );
  });

  it('gives repartition topics that meet the same count, the greatest that feeds one of them, or the declared one', () => {
    const meeting =
      (byBuyer: typeof byPage): Topology =>
      ({ stream, store, repartition }) =>
        merge(stream(clicks).pipe(repartition(byPage)), stream(orders).pipe(repartition(byBuyer))).pipe(
          countWithStore(store(counts)),
          to(results),
        );
    const sizes = { clicks: 3, orders: 5 };
    const countsOf = (topology: Topology): number[] => layout(topology, sizes).owned.map(({ partitions }) => partitions);
    expect(countsOf(meeting(internalTopic('by-buyer', clicks)))).toEqual([5, 5, 5]);
    expect(countsOf(meeting(internalTopic('by-buyer', { ...clicks, partitions: 4 })))).toEqual([4, 4, 4]);
  });

  it.each([
    ['left', { clicks: 2, orders: 3 }],
    ['left', { clicks: 3, orders: 2 }],
    ['right', { clicks: 2, orders: 3 }],
    ['right', { clicks: 3, orders: 2 }],
  ] as const)(
    'gives the internal topics of a join by foreign key the counts of the tables, of a repartitioned one on the %s too',
    (side, sizes) => {
      const rows = keyValueStore('rows', { key: string, value: string });
      const references = foreignKeyStore('references', { key: string, foreignKey: string });
      const joining: Topology = ({ stream, table, store, repartition }) => {
        const moved = toTable(stream(clicks).pipe(repartition(byPage)), store(rows));
        const [left, right] = side === 'left' ? [moved, table(orders)] : [table(orders), moved];
        const joined = joinTablesByForeignKey(left, right, store(references), { foreignKey: (row) => row, join: (row) => row });
        return joined.changes.pipe(to(texts));
      };
      const owned = new Map(layout(joining, sizes).owned.map(({ topic, partitions }) => [topic, partitions]));
      const ofMoved = owned.get('app-by-page-repartition');
      const [left, right] = side === 'left' ? [ofMoved, sizes.orders] : [sizes.orders, ofMoved];
      expect(owned.get('app-references-subscriptions-repartition')).toBe(right);
      expect(owned.get('app-references-answers-repartition')).toBe(left);
      expect(owned.get('app-references-changelog')).toBe(right);
    },
  );

  it('checks the partitioner of inputs that feed a store directly, and of no others', () => {
    expect(layout(countClicks, { clicks: 1 }).inputs.map(({ feedsStore }) => feedsStore)).toEqual([true]);
    expect(layout(countByPage, { clicks: 1 }).inputs.map(({ topic, feedsStore }) => [topic, feedsStore])).toEqual([
      ['app-by-page-repartition', false],
      ['clicks', false],
    ]);
  });
});
