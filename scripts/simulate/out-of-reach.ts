import type { OutOfReach } from './totals';

/** Each has tests of its own, of the unit or on real files and processes. */
export const outOfReach: readonly OutOfReach[] = [
  { file: 'src/state/slot.ts', because: 'slots are folders with locks of the kernel' },
  { file: 'src/commit/cluster-client.ts', because: 'the cluster as programs write to it and read from it, not part of an instance' },
  { file: 'src/commit/record-writer.ts', because: 'as above' },
  { file: 'src/commit/record-reading.ts', because: 'as above' },
  { file: 'src/state/store-directory.ts', within: 'open: ', because: 'a folder that cannot be read is removed from the file system' },
  { file: 'src/state/store-directory.ts', within: 'close: rm', because: 'as above' },
  { file: 'src/state/store-directory.ts', within: 'removeUnused: ', because: 'stores of a topology that was another a day ago' },
  { file: 'src/state/global-rows.ts', within: 'open: rm', because: 'a folder that cannot be read is removed from the file system' },
  { file: 'src/state/flusher.ts', within: 'operations: ', because: 'more than 4,096 entries at once' },
  { file: 'src/commit/global-tables.ts', within: 'writeBehind: ', because: 'more rows at once than a run has' },
  { file: 'src/kafka/leader-epochs.ts', within: 'leaderOf: delay', because: 'partitions of the broker in memory keep their leaders' },
  { file: 'src/kafka/cluster-view.ts', within: 'clusterId: ', because: 'an instance asks for its topics first, and knows it then' },
];
