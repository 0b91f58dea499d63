import { GlobalRowReader } from '../../commit/global-row';
import type { EncodedBatch } from '../../kafka/batch-encode';
import type { Metrics } from '../../model/metrics';
import type { Topic } from '../../model/topic';
import { GlobalRows } from '../../state/global-rows';

const CACHE_BYTES = 1024 * 1024;

/** The global tables of a topology under test: what is piped is there at once. */
export class GlobalTablesAtHand {
  private readonly tables: ReadonlyMap<string, { readonly rows: GlobalRows; readonly reader: GlobalRowReader }>;

  constructor(topics: readonly Topic<unknown, unknown>[], metrics: Metrics) {
    this.tables = new Map(
      topics.map((topic) => {
        const dropped = (reason: string): void => {
          metrics.add('dropped-records-total', 1, { operator: 'globalTable', reason });
        };
        const rows = new GlobalRows({ topic: topic.name, key: topic.key, value: topic.value, cacheBytes: CACHE_BYTES });
        return [topic.name, { rows, reader: new GlobalRowReader(topic, 0, dropped, { checkCrc: false }) }];
      }),
    );
  }

  has(topic: string): boolean {
    return this.tables.has(topic);
  }

  rows(topic: string): GlobalRows {
    return this.tables.get(topic)!.rows;
  }

  append(topic: string, { bytes }: EncodedBatch): void {
    const { rows, reader } = this.tables.get(topic)!;
    reader.applyChunk({ records: bytes, aborted: [], from: 0, next: 0 }, rows);
  }
}
