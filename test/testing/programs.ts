/** Small programs that the tests of the test kit run. */
import { countWithStore, mapValues, to, windowTumbling } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import { partitionFor } from '../../src/kafka/partitioner';
import { keyValueStore, windowStore } from '../../src/state/definition';
import type { Topology } from '../../src/task/topology';

export const input = topic('input', { key: string, value: string });
export const counts = keyValueStore('counts', { key: string, value: int64 });
export const results = topic('results', counts.output);

/** Counts by key; every count goes out. */
export const counting: Topology = ({ stream, store }) => stream(input).pipe(countWithStore(store(counts)), to(results));

export const byValue = internalTopic('by-value', { key: string, value: string });

/** Counts by value, behind a repartition. */
export const countingValues: Topology = ({ stream, store, repartition }) =>
  stream(input).pipe(
    repartition(byValue, (value) => value),
    countWithStore(store(counts)),
    to(results),
  );

export const perTen = { size: 10, grace: 0 };
export const windowCounts = windowStore('window-counts', { key: string, value: int64, windows: perTen });
export const windowResults = topic('window-results', windowCounts.output);

/** Counts by key and window; each count goes out once, when its window closes. */
export const countingWindows: Topology = ({ stream, store }) =>
  stream(input).pipe(windowTumbling(perTen), countWithStore(store(windowCounts), { emit: 'close' }), to(windowResults));

export const copies = topic('copies', { key: string, value: string });
/** Without a store; `project` may throw. */
export const copying =
  (project: (value: string) => string = (value) => value): Topology =>
  ({ stream }) =>
    stream(input).pipe(mapValues(project), to(copies));

/** The first `count` keys that lie on a partition. */
export function keysOf(partition: number, partitions: number, count = 1): string[] {
  const found: string[] = [];
  for (let at = 0; found.length < count; at++) {
    const key = `k${String(at)}`;
    if (partitionFor(Buffer.from(key), partitions) === partition) found.push(key);
  }
  return found;
}
