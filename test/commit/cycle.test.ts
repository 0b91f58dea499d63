/** The commit cycle of §5: what is in a transaction, when it is sent, and what goes on meanwhile. */
import { debounceTime, filter, tap } from 'rxjs';
import { countWithStore, mapWithStore, to } from '../../operators';
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { keyValueStore } from '../../src/state/definition';
import type { Topology } from '../../src/task/topology';
import { counting, countingWindows, copied, copying, counts, input, keysOf, record, records, results, windowResults } from './programs';
import { World } from './world';

let world: World;

beforeEach(() => {
  world = new World();
});

afterEach(() => world.end());

const values = async (): Promise<number[]> => (await world.read(results)).map(({ value }) => value);

describe('the commit cycle', () => {
  it('goes on pushing while EndTxn is held for 200 ms', async () => {
    world.topics({ input: 1, results: 1 });
    let pushed = 0;
    const watched: Topology = ({ stream, store }) =>
      stream(input).pipe(
        tap(() => pushed++),
        countWithStore(store(counts)),
        to(results),
      );
    world.start(watched);
    await world.until(() => world.committed('input', 0) !== undefined);
    const held = world.fault('endTxn', { kind: 'delay', ms: 200 });
    await world.write(input, records('a', 10));
    await world.until(() => held.hits === 1);
    const since = world.clock.monotonic();
    await world.write(input, records('a', 10, 10));
    await world.until(() => pushed === 20);
    expect(world.clock.monotonic() - since).toBeLessThan(200);
    expect(world.committed('input', 0)?.offset).toBe(0);
    await world.untilCommitted({ input: [20] });
    expect(await values()).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
  });

  it('sends nothing of a transaction before it is sealed', async () => {
    world.topics({ input: 1, results: 1 });
    let pushed = 0;
    const watched: Topology = (task) => counting(task).pipe(tap(() => pushed++));
    await world.write(input, records('a', 5));
    world.start(watched, { commitInterval: 5_000 });
    await world.until(() => pushed === 5);
    await world.clock.advance(1_000);
    for (const api of ['addPartitionsToTxn', 'produce', 'addOffsetsToTxn', 'txnOffsetCommit', 'endTxn'] as const) {
      expect(world.asked(api).filter(({ clientId }) => clientId === 'one')).toEqual([]);
    }
    await world.untilCommitted({ input: [5] });
    expect(await values()).toEqual([1, 2, 3, 4, 5]);
  });

  it('takes no work into a transaction that was pushed after its seal', async () => {
    world.topics({ input: 1, results: 1 });
    await world.write(input, records('a', 3));
    let pushed = 0;
    const watched: Topology = (task) => counting(task).pipe(tap(() => pushed++));
    const held = world.fault('addPartitionsToTxn', { kind: 'delay', ms: 500 });
    const one = world.start(watched);
    await world.until(() => held.hits === 1);
    await world.write(input, records('a', 4, 3));
    await world.until(() => pushed === 7);
    await world.until(() => one.commits.length === 1);
    expect(one.commits[0]?.tasks).toEqual([{ partition: 0, records: 3, outputs: 3 }]);
    expect(world.asked('txnOffsetCommit')[0]?.request.partitions.map(({ offset }) => offset)).toEqual([3]);
    await world.untilCommitted({ input: [7] });
    expect(one.commits[1]?.tasks).toEqual([{ partition: 0, records: 4, outputs: 4 }]);
  });

  it('C3: advances offsets over records that are all filtered', async () => {
    world.topics({ input: 1, results: 1 });
    await world.write(input, records('a', 7));
    const nothing: Topology = ({ stream }) =>
      stream(input).pipe(
        filter(() => false),
        to(copied),
      );
    world.start(nothing);
    await world.untilCommitted({ input: [7] });
    expect(world.asked('produce').filter(({ clientId }) => clientId === 'one')).toEqual([]);
  });

  it('C3, K20: advances offsets over markers and aborted records, so that lag is 0 behind a trailing marker', async () => {
    world.topics({ source: 1, input: 1, results: 1 });
    const source = topic('source', { key: string, value: string });
    const feeding: Topology = ({ stream }) => stream(source).pipe(to(input));
    await world.write(source, records('a', 3));
    const feeder = world.start(feeding, { applicationId: 'feeder', name: 'feeder' });
    const one = world.start(copying);
    await world.until(() => feeder.commits.length === 1);
    const refused = world.fault('txnOffsetCommit', { kind: 'answer', errorCode: 29 }, ({ clientId }) => clientId === 'feeder', 2);
    await world.write(source, records('a', 2, 3));
    await world.until(() => refused.hits === 2 && feeder.total('abort-total') >= 2);
    await world.until(() => feeder.commits.length === 2);
    expect(world.asked('endTxn').filter(({ clientId, request }) => clientId === 'feeder' && !request.commit)).toHaveLength(2);
    await feeder.close();
    const end = (): number => world.broker.partition({ topic: 'input', partition: 0 })!.highWatermark;
    await world.until(() => world.committed('input', 0)?.offset === end());
    expect(end()).toBeGreaterThan(5 + 2);
    expect((await world.read(copied)).map(({ value }) => value)).toEqual(['v0', 'v1', 'v2', 'v3', 'v4']);
    expect(one.error).toBeUndefined();
  });

  it('C4: does not commit an input while one of its outputs is unacknowledged', async () => {
    world.topics({ input: 1, results: 4 });
    const many: Topology = ({ stream, store }) => stream(input).pipe(countWithStore(store(counts)), to(results));
    world.start(many);
    await world.until(() => world.committed('input', 0) !== undefined);
    const hung = world.fault('produce', { kind: 'delay', ms: 10_000 }, ({ clientId }) => clientId === 'one');
    await world.write(
      input,
      keysOf(0, 1, 20).map((key, at) => record(key, 'v', at)),
    );
    await world.until(() => hung.hits === 1);
    await world.clock.advance(9_000);
    expect(world.asked('endTxn').filter(({ request }) => request.commit)).toEqual([]);
    expect(world.committed('input', 0)?.offset).toBe(0);
    await world.untilCommitted({ input: [20] });
    expect(await world.read(results)).toHaveLength(20);
  });

  it('names a partition of every contributing task in the offset commit, also when only a timer moved', async () => {
    world.topics({ input: 2, results: 1 });
    const later: Topology = ({ stream, clock }) => stream(input).pipe(debounceTime(1_000, clock), to(copied));
    world.start(later);
    await world.write(input, [record(keysOf(1, 2)[0] as string, 'late')]);
    await world.untilCommitted({ input: [0, 1] });
    const before = world.asked('txnOffsetCommit').length;
    await world.until(() => world.asked('txnOffsetCommit').length > before);
    const [offsets] = world.asked('txnOffsetCommit').slice(before);
    expect(offsets?.request.partitions.map(({ topic: name, partition, offset }) => [name, partition, offset])).toEqual([['input', 1, 1]]);
    expect((await world.read(copied)).map(({ value }) => value)).toEqual(['late']);
  });

  it('W10, W11: commits what a closing window emits together with the record that closed it', async () => {
    world.topics({ input: 1, results: 1 });
    await world.write(input, [record('a', 'v', 0), record('a', 'v', 1), record('a', 'v', 50_000)]);
    const one = world.start(countingWindows);
    await world.untilCommitted({ input: [3] });
    expect(one.commits.map(({ tasks }) => tasks)).toEqual([[{ partition: 0, records: 3, outputs: 1 }]]);
    expect((await world.read(windowResults)).map(({ key, value }) => [key.key, key.start, value])).toEqual([['a', 0, 2]]);
  });

  it('S7: closes the same window of two partitions in one process, each with all its keys', async () => {
    world.topics({ input: 2, results: 1 });
    const [left, right] = [keysOf(0, 2, 5), keysOf(1, 2, 5)];
    const at = (timestamp: number, keys: readonly string[]) => keys.map((key) => record(key, 'v', timestamp));
    await world.write(input, [...at(0, left), ...at(0, right), ...at(90_000, left.slice(0, 1)), ...at(90_000, right.slice(0, 1))]);
    world.start(countingWindows);
    await world.untilCommitted({ input: [6, 6] });
    expect((await world.read(windowResults)).map(({ key }) => key.key).sort()).toEqual([...left, ...right].sort());
  });

  it('D4: stops fetching while too much is not committed, and goes on when it is', async () => {
    world.topics({ input: 1, results: 1 });
    const nothing: Topology = ({ stream }) =>
      stream(input).pipe(
        filter(() => false),
        to(copied),
      );
    const large = 'x'.repeat(256 * 1024);
    await world.write(
      input,
      Array.from({ length: 100 }, (_, at) => record('a', large, at)),
    );
    world.start(nothing, { commitInterval: 60_000 });
    await world.clock.advance(20_000);
    const position = Math.max(...world.asked('fetch').flatMap(({ request }) => request.partitions.map(({ offset }) => offset)));
    expect(position).toBeGreaterThan(16);
    expect(position).toBeLessThan(60);
    await world.until(() => world.committed('input', 0)?.offset === 100, 600_000);
  });

  it('C8: an open transaction does not keep the next ones from being due: all that was completed is in one of them', async () => {
    world.topics({ input: 1, results: 1 });
    const one = world.start(counting);
    world.fault('endTxn', { kind: 'delay', ms: 150 }, undefined, 30);
    for (let round = 0; round < 20; round++) {
      await world.write(input, records('a', 5, round * 5));
      await world.clock.advance(40);
    }
    await world.untilCommitted({ input: [100] });
    expect(await values()).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
    expect(one.commits.flatMap(({ tasks }) => tasks).reduce((sum, { records: each }) => sum + each, 0)).toBe(100);
  });
});

describe('work that cannot be sealed', () => {
  const large = keyValueStore('large', { key: string, value: string });
  it('D2: a changelog record larger than the topic takes fails the run and says so; nothing of it is committed', async () => {
    world.topics({ input: 1, results: 1 });
    world.broker.createTopic('app-large-changelog', 1, { 'cleanup.policy': 'compact', 'max.message.bytes': '2000' });
    const growing: Topology = ({ stream, store }) =>
      stream(input).pipe(
        mapWithStore(store(large), { initial: () => '', step: (state, value) => [state + value.repeat(500), value] as const }),
        to(copied),
      );
    await world.write(input, records('a', 20));
    const one = world.start(growing);
    await one.ended();
    await one.close();
    expect(one.error).toMatchObject({ code: 'RECORD_TOO_LARGE', where: { topic: 'app-large-changelog' } });
    expect(world.committed('input', 0)?.offset).toBe(0);
    expect(await world.read(copied)).toEqual([]);
    expect(one.waiting).toBe(0);
  });
});
