import type { OutOfReach } from './totals';

export const outOfReach: readonly OutOfReach[] = [
  { file: 'src/state/slot.ts', because: 'slots are folders with locks of the kernel; test/state/slot.test.ts has processes die on them' },
  { file: 'src/commit/cluster-client.ts', because: 'the cluster as programs write to it and read from it, not part of an instance' },
  { file: 'src/commit/record-writer.ts', because: 'as above' },
  { file: 'src/commit/record-reading.ts', because: 'as above' },
];
