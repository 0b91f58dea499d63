import type { ProduceAnswer } from '../../src/kafka/port';
import type { AnyAnswer, ApiName } from '../../src/memory/call';
import type { Listener } from './held-broker';

/**
 * No batch is acknowledged below its own transaction's first offset: an answer that says so took it for a duplicate of a batch of an earlier
 * transaction, and what was aborted there is lost.
 */
export class Acknowledged implements Listener {
  private readonly earlier = new Map<string, number>();
  private readonly current = new Map<string, number>();

  constructor(private readonly violated: (what: string) => void) {}

  sent(api: ApiName): void {
    if (api !== 'endTxn') return;
    for (const [partition, offset] of this.current) this.earlier.set(partition, Math.max(offset, this.earlier.get(partition) ?? -1));
    this.current.clear();
  }

  answered(api: ApiName, answer: AnyAnswer): void {
    if (api !== 'produce') return;
    for (const { topic, partition, errorCode, baseOffset } of (answer as ProduceAnswer).partitions) {
      if (errorCode !== 0) continue;
      const name = `${topic}-${partition}`;
      const before = this.earlier.get(name) ?? -1;
      if (baseOffset <= before)
        this.violated(`a batch of ${name} was acknowledged at ${baseOffset}, one of an earlier transaction at ${before}`);
      this.current.set(name, Math.max(baseOffset, this.current.get(name) ?? -1));
    }
  }
}
