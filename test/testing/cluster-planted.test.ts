/** Mistakes planted in a program, in the protocol and in the disk: the test kit shows each of them. */
import { map, scan } from 'rxjs';
import { mapWithStore, to } from '../../operators';
import { int64 } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { keyValueStore } from '../../src/state/definition';
import { OrderedMemory } from '../../src/state/ordered-memory';
import type { Topology } from '../../src/task/topology';
import { type CrashPoint, inputRow, record, testCluster, type TestClusterOptions } from '../../src/testing';
import { SimulatedCluster } from '../../src/testing/cluster/cluster-run';
import { counting, counts, input, results } from './programs';

const total = topic('total', { key: counts.output.key, value: int64 });
const totals = keyValueStore('totals', { key: counts.output.key, value: int64 });

/** One record every other frame; `a` dies at `point` of the commit of the fourth. */
const dying = (topology: Topology, point: CrashPoint): TestClusterOptions => ({
  topology,
  instances: { a: '            ^-----p--^--------' },
  crashes: { p: point },
  input: [inputRow(input, 'r-r-r-r-----r-r---', { r: record('k', '', 1) })],
});

const valuesSeen = async (options: TestClusterOptions): Promise<number[]> => {
  const run = await testCluster(options);
  return run.committed(total).map(({ value }) => value);
};

describe('a running total', () => {
  it('in a store survives a crash', async () => {
    const stored: Topology = ({ stream, store }) =>
      stream(input).pipe(mapWithStore(store(totals), { initial: () => 0, step: (n) => [n + 1, n + 1] }), to(total));
    expect(await valuesSeen(dying(stored, 'between produce and EndTxn'))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('in a plain scan begins anew', async () => {
    const remembered: Topology = ({ stream }) =>
      stream(input).pipe(
        scan((before, next) => next.withValue(before.value + 1), record('', 0, 0)),
        to(total),
      );
    expect(await valuesSeen(dying(remembered, 'between produce and EndTxn'))).toEqual([1, 2, 3, 1, 2, 3]);
  });

  it('in a variable outside the topology counts what was never committed', async () => {
    let sum = 0;
    const outside: Topology = ({ stream }) =>
      stream(input).pipe(
        map((next) => next.withValue(++sum)),
        to(total),
      );
    expect(await valuesSeen(dying(outside, 'between produce and EndTxn'))).toEqual([1, 2, 3, 5, 6, 7]);
    sum = 0;
    expect(await valuesSeen(dying(outside, 'between EndTxn and the local write'))).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('a commit', () => {
  it('whose offsets are not part of it doubles records', async () => {
    const cluster = new SimulatedCluster(dying(counting, 'between EndTxn and the local write'), 1);
    const lost = cluster['broker'].faults.add({
      match: ({ api }) => api === 'txnOffsetCommit' && cluster['clock'].monotonic() >= 6_000,
      action: { kind: 'answer', errorCode: 0 },
    });
    await cluster.play();
    await cluster.end();
    expect(lost.hits).toBe(1);
    expect(cluster.committed(results).map(({ value }) => value)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

describe('a disk', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('that writes positions without the entries forgets what it had', async () => {
    const write = OrderedMemory.prototype.write;
    jest.spyOn(OrderedMemory.prototype, 'write').mockImplementation(function (this: OrderedMemory, operations) {
      return write.call(this, operations.slice(0, 1));
    });
    // The commit at frame 6 finds that the first one is due for the disk.
    const run = await testCluster({ ...dying(counting, 'before produce'), instances: { a: '^-------x----^----' } });
    expect(run.committed(results).map(({ value }) => value)).toEqual([1, 2, 3, 4, 1, 2]);
  });
});
