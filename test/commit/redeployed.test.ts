/** A program that was changed and started again: what keeps its name keeps its state. */
import { merge } from 'rxjs';
import { countWithStore, filterValues, mapValues, mapWithStore, to } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import { keyValueStore } from '../../src/state/definition';
import type { Topology } from '../../src/task/topology';
import { counts, input, records, results } from './programs';
import { World } from './world';

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 1, results: 1 });
});

afterEach(() => world.end());

const byValue = internalTopic('by-value', { key: string, value: string });
const earlier = internalTopic('earlier', { key: string, value: string });
const seen = keyValueStore('seen', { key: string, value: int64 });
const sums = topic('results', { key: string, value: int64 });
const values = async (): Promise<number[]> => (await world.read(results)).map(({ value }) => value);

const before: Topology = ({ stream, store, repartition }) =>
  stream(input).pipe(
    repartition(byValue, () => 'all'),
    countWithStore(store(counts)),
    to(results),
  );

describe('S9: redeployed with operators', () => {
  const changed: Record<string, Topology> = {
    'inserted, without state': ({ stream, store, repartition }) =>
      stream(input).pipe(
        filterValues(() => true),
        mapValues((value) => value),
        repartition(byValue, () => 'all'),
        mapValues((value) => value),
        countWithStore(store(counts)),
        to(results),
      ),
    'inserted, with a store and a repartition of their own': ({ stream, store, repartition }) =>
      stream(input).pipe(
        repartition(earlier, (value) => value),
        mapWithStore(store(seen), { initial: () => 0, step: (count, value) => [count + 1, value] as const }),
        repartition(byValue, () => 'all'),
        countWithStore(store(counts)),
        to(results),
      ),
    'in another order': ({ stream, store, repartition }) => {
      const other = stream(input).pipe(mapWithStore(store(seen), { initial: () => 0, step: (count) => [count + 1, count] as const }));
      const same = stream(input).pipe(
        repartition(byValue, () => 'all'),
        countWithStore(store(counts)),
        to(results),
      );
      return merge(
        other.pipe(
          mapValues(() => 0),
          filterValues(() => false),
          to(sums),
        ),
        same,
      );
    },
  };

  it.each(Object.keys(changed))('S9: %s, no store and no topic has another name, and counts go on', async (name) => {
    await world.write(input, records('a', 3));
    await world.toTheEnd(before);
    const topics = [...world.broker.topics()];
    await world.write(input, records('a', 2, 3));
    const again = await world.toTheEnd(changed[name]!);
    const added = world.broker.topics().filter((each) => !topics.includes(each));
    expect(added.filter((each) => !/-(seen|earlier)-/.test(each))).toEqual([]);
    expect(world.broker.topics()).toEqual(expect.arrayContaining(topics));
    expect(again.error).toBeUndefined();
    expect(await values()).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('S8: redeployed with one more store', () => {
  it('S8: on the same stream, the one that was there goes on and the new one begins', async () => {
    const last = topic('last', { key: string, value: string });
    const latest = keyValueStore('latest', { key: string, value: string });
    const both: Topology = ({ stream, store }) => {
      const source = stream(input);
      const previous = mapWithStore(store(latest), {
        initial: () => 'none',
        step: (before: string, value: string) => [value, before] as const,
      });
      return merge(source.pipe(countWithStore(store(counts)), to(results)), source.pipe(previous, to(last)));
    };
    world.topics({ last: 1 });
    await world.write(input, records('a', 3));
    await world.toTheEnd(({ stream, store }) => stream(input).pipe(countWithStore(store(counts)), to(results)));
    await world.write(input, records('a', 2, 3));
    await world.toTheEnd(both);
    expect(await values()).toEqual([1, 2, 3, 4, 5]);
    expect((await world.read(last)).map(({ value }) => value)).toEqual(['none', 'v3']);
  });
});
