import type { InternalTopics } from '../kafka/internal-topics';
import type { TopicPartition } from '../kafka/port';
import type { Logger } from '../model/logger';
import type { SealedTask } from '../task/stream-task';
import type { Clock } from '../time/clock';
import type { Layout } from './layout';

/** ms between two purges: as often as Kafka Streams by default. */
const PURGE_EVERY_MS = 30_000;

export interface RepartitionPurgeOptions {
  readonly layout: Layout;
  readonly topics: InternalTopics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Deletes the records of repartition topics below committed offsets. A purge that fails is tried again with the next. */
export class RepartitionPurge {
  private readonly below = new Map<string, TopicPartition & { readonly offset: number }>();
  private last: number;

  constructor(private readonly options: RepartitionPurgeOptions) {
    this.last = options.clock.monotonic();
  }

  committed(sealed: readonly SealedTask[]): void {
    const { layout, clock } = this.options;
    if (layout.repartitionOrder.length === 0) return;
    for (const { offsets } of sealed) {
      for (const { topic, partition, offset } of offsets) {
        if (layout.repartitionOrder.includes(topic)) this.below.set(`${topic} ${String(partition)}`, { topic, partition, offset });
      }
    }
    if (clock.monotonic() - this.last < PURGE_EVERY_MS || this.below.size === 0) return;
    this.last = clock.monotonic();
    this.purge();
  }

  private purge(): void {
    const { topics, logger } = this.options;
    const partitions = [...this.below.values()];
    this.below.clear();
    topics.purge(partitions).catch((cause: unknown) => {
      logger.warn({ cause: String(cause) }, 'repartition topics could not be purged; tried again later');
      for (const at of partitions)
        if (!this.below.has(`${at.topic} ${String(at.partition)}`)) this.below.set(`${at.topic} ${String(at.partition)}`, at);
    });
  }
}
