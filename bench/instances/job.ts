import { countWithStore, filterValues, to } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { Topic } from '../../src/model/topic';
import { keyValueStore } from '../../src/state/definition';
import type { Topology } from '../../src/task/topology';

/** Counts what comes of each key in a store that gets a row for it; a result from the second record of a key on. */
export interface RowsJob {
  readonly input: Topic<string, string>;
  readonly results: Topic<string, number>;
  readonly topology: Topology;
}

export function rowsJob(application: string): RowsJob {
  const input = topic(`${application}-input`, { key: string, value: string });
  const results = topic(`${application}-results`, { key: string, value: int64 });
  const rows = keyValueStore('rows', { key: string, value: int64 });
  return {
    input,
    results,
    topology: ({ stream, store }) =>
      stream(input).pipe(
        countWithStore(store(rows)),
        filterValues((count) => count > 1),
        to(results),
      ),
  };
}

export function rowKey(number: number): string {
  return `account-${String(number).padStart(9, '0')}`;
}
