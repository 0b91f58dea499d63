import type { SourcePatch } from '../source-copy';

/** The file system is that of the process whose turn it is. */
const RM = { text: "import { rm } from 'node:fs/promises';", becomes: 'const rm = (folder: string) => globalThis.__rm(folder);' };

/** What is different in every copy: the file system, and limits that no run of seconds would come to. */
export const standIns: readonly SourcePatch[] = [
  { file: 'src/state/store-directory.ts', ...RM },
  { file: 'src/state/global-rows.ts', ...RM },
  { file: 'src/state/flusher.ts', text: 'const SLICE = 4_096;', becomes: 'const SLICE = 4;' },
  { file: 'src/state/disk-entries.ts', text: 'const CHUNK = 1_000;', becomes: 'const CHUNK = 3;' },
  { file: 'src/state/key-value-entries.ts', text: 'const MANY_ENTRIES = 10_000;', becomes: 'const MANY_ENTRIES = 5;' },
  { file: 'src/commit/task-folders.ts', text: 'const OPENED_AT_ONCE = 4;', becomes: 'const OPENED_AT_ONCE = 1;' },
  { file: 'src/commit/task-folders.ts', text: 'const REMOVED_AFTER_MS = 600_000;', becomes: 'const REMOVED_AFTER_MS = 3_000;' },
  { file: 'src/commit/standbys.ts', text: 'const LOOKS_PER_REMOVAL = 60;', becomes: 'const LOOKS_PER_REMOVAL = 2;' },
  { file: 'src/commit/standbys.ts', text: 'const REST_MS = 30_000;', becomes: 'const REST_MS = 2_000;' },
  { file: 'src/commit/standbys.ts', text: 'const CATCH_UPS_AT_ONCE = 2;', becomes: 'const CATCH_UPS_AT_ONCE = 1;' },
  { file: 'src/commit/task-builder.ts', text: 'const LITTLE = 10_000;', becomes: 'const LITTLE = 2;' },
  { file: 'src/commit/warm-ups.ts', text: 'const FIRST_WAIT_MS = 5_000;', becomes: 'const FIRST_WAIT_MS = 500;' },
  { file: 'src/commit/repartition-purge.ts', text: 'const PURGE_EVERY_MS = 30_000;', becomes: 'const PURGE_EVERY_MS = 1_000;' },
  { file: 'src/kafka/partition-watch.ts', text: 'const EVERY_MS = 60_000;', becomes: 'const EVERY_MS = 2_000;' },
  { file: 'src/state/task-stores.ts', text: 'const FLUSH_INTERVAL_MS = 5_000;', becomes: 'const FLUSH_INTERVAL_MS = 1_500;' },
  { file: 'src/commit/global-tables.ts', text: 'const MOST_UNWRITTEN = 20_000;', becomes: 'const MOST_UNWRITTEN = 6;' },
  { file: 'src/commit/assignment.ts', text: 'const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;', becomes: 'const MAX_BUFFERED_BYTES = 1_500;' },
  { file: 'src/kafka/fetcher.ts', text: 'maxBytesPerPartition = 1024 * 1024', becomes: 'maxBytesPerPartition = 700' },
];
