import { ClusterClient } from '../../src/commit/cluster-client';
import type { KafkaPort } from '../../src/kafka/port';
import type { MemoryBroker } from '../../src/memory/memory-broker';
import type { Topic } from '../../src/model/topic';
import { type Clock, delay } from '../../src/time/clock';
import type { Text } from './program';

const LOOK = 20;

/** Who writes the programs' input, and whose retention takes it away: no process of the simulation, and never cut. */
export class Inputs {
  private readonly client: ClusterClient;
  private readonly retention: KafkaPort;
  private writing: Promise<unknown> = Promise.resolve();
  private unwritten = 0;
  /** A broker is away: whoever writes without transactions cannot know what came of it, and does not begin. */
  mustWait = false;

  constructor(
    broker: MemoryBroker,
    private readonly clock: Clock,
    private readonly nodes: number,
    private readonly failed: (what: string) => void,
  ) {
    this.client = new ClusterClient(() => Promise.resolve(broker), clock);
    this.retention = broker.connect('retention');
  }

  get isWritten(): boolean {
    return this.unwritten === 0;
  }

  /** One after the other. */
  write(topic: Topic<string, string>, records: readonly Text[]): void {
    if (records.length === 0) return;
    this.unwritten++;
    this.writing = this.writing
      .then(() => this.untilWhole())
      .then(() => this.client.write(topic, records))
      .then(
        () => void this.unwritten--,
        (error: unknown) => this.failed(`the input could not be written: ${String(error)}`),
      );
  }

  private async untilWhole(): Promise<void> {
    while (this.mustWait) await delay(this.clock, LOOK);
  }

  /** The partition loses what it holds. */
  truncate(topic: string, partition: number): void {
    const request = { partitions: [{ topic, partition, offset: -1 }], timeoutMs: 1_000 };
    // Whoever is not its leader refuses.
    for (let node = 1; node <= this.nodes; node++) void this.retention.deleteRecords(node, request).catch(() => undefined);
  }
}
