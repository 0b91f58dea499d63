import type { OutOfReach } from './totals';

/** Each has tests of its own, of the unit or on real files and processes. */
export const outOfReach: readonly OutOfReach[] = [
  { file: 'src/state/slot.ts', because: 'slots are folders with locks of the kernel' },
  { file: 'src/commit/cluster-client.ts', because: 'the cluster as programs write to it and read from it, not part of an instance' },
  { file: 'src/commit/record-writer.ts', because: 'as above' },
  { file: 'src/commit/record-reading.ts', because: 'as above' },
  {
    file: 'src/commit/task-folders.ts',
    within: 'forgetNotes: ',
    because: 'only threads share a slot, and they are no part of a simulation',
  },
  { file: 'src/state/flusher.ts', within: 'idle: ', because: 'whoever closes stores has waited for their flushes before' },
  { file: 'src/kafka/cluster-view.ts', within: 'clusterId: ', because: 'an instance asks for its topics first, and knows it then' },
];
