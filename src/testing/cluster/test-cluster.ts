import type { Topic } from '../../model/topic';
import type { ClusterRun } from './cluster-run';
import type { InputRow, RecordOrRecords, TestClusterOptions } from './options';
import { withRun } from './with-run';

/**
 * A row of input for `testCluster`: each symbol stands for a record, or for several, that are written at its frame.
 *
 * @example inputRow(clicks, 'a--b', { a: record('ada', click, 1), b: records('bob5 ada7', () => click) })
 * @example inputRow(clicks, ...diagram('ada1--bob5', () => click))
 */
export function inputRow<K, V>(topic: Topic<K, V>, marbles: string, values: Readonly<Record<string, RecordOrRecords<K, V>>>): InputRow {
  return { topic: topic as unknown as Topic<unknown, unknown>, marbles, values };
}

/**
 * Runs whole instances of an application against a broker in this process, under virtual time, with starts, crashes, rebalances and
 * restarts as rows of a diagram. What is asserted in `check` is what a read_committed consumer sees, after all input has been done (while
 * an instance is alive) and all transactions have ended. At one frame instances act in the order of their rows, then inputs in theirs.
 *
 * What fails says with which seed, and shows the run.
 *
 * @throws what an instance fails with, what `check` throws; CONFIG for rows that make no sense, and for a crash at a point that no
 * instance came to
 * @example
 * await testCluster(
 *   {
 *     topology,
 *     partitions: 2,
 *     instances: { a: '^----p-------^', b: '---^---------' },
 *     crashes: { p: 'between produce and EndTxn' },
 *     input: [inputRow(clicks, 'c-c-c-c-c-c', { c: record('ada', { page: '/' }, 10) })],
 *   },
 *   (run) => expect(run.committed(clickCounts).map(({ value }) => value)).toEqual([1, 2, 3, 4, 5, 6]),
 * );
 */
export async function testCluster(options: TestClusterOptions, check: (run: ClusterRun) => void = () => undefined): Promise<ClusterRun> {
  const { seed: first = 1, runs = 1 } = options;
  let run = await playOnce(options, first, check);
  for (let seed = first + 1; seed < first + runs; seed++) run = await playOnce(options, seed, check);
  return run;
}

async function playOnce(options: TestClusterOptions, seed: number, check: (run: ClusterRun) => void): Promise<ClusterRun> {
  // A broker and all there is to an instance: not for whoever tests operators alone.
  const { SimulatedCluster } = await import('./cluster-run');
  const cluster = new SimulatedCluster(options, seed);
  try {
    await cluster.play();
    check(cluster);
    return cluster;
  } catch (cause) {
    throw withRun(cause, cluster);
  } finally {
    await cluster.end();
  }
}
