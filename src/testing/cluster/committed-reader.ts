import { BatchReader } from '../../kafka/batch-decode';
import { ClusterView } from '../../kafka/cluster-view';
import { Fetcher } from '../../kafka/fetcher';
import type { FetchedChunk } from '../../kafka/partition-sink';
import type { KafkaPort, TopicPartition } from '../../kafka/port';
import type { MillraceError } from '../../errors/millrace-error';
import { silentLogger } from '../../model/logger';
import type { Outgoing } from '../../model/outgoing';
import type { Topic } from '../../model/topic';
import type { Clock } from '../../time/clock';
import type { MemoryBroker } from '../../memory/memory-broker';
import { readOutgoing, type LoggedRecord } from '../read-outgoing';

interface SeenRecord extends LoggedRecord {
  /** Since the run began, ms. */
  readonly at: number;
}

/** What somebody with `isolation.level=read_committed` reads of some topics, and when: records of transactions that have committed. */
export class CommittedReader {
  failed: MillraceError | undefined;
  private readonly port: KafkaPort;
  private readonly fetcher: Fetcher;
  private readonly seen = new Map<string, SeenRecord[]>();
  private readonly next = new Map<string, TopicPartition & { offset: number }>();

  constructor(
    private readonly broker: MemoryBroker,
    private readonly clock: Clock,
  ) {
    this.port = broker.connect('read-committed');
    const view = new ClusterView({ port: this.port, clock, logger: silentLogger });
    const options = { port: this.port, view, clock, logger: silentLogger };
    this.fetcher = new Fetcher({ ...options, lane: 'input', readCommitted: true, maxWaitMs: 100 });
  }

  follow(topic: string, partitions: number): void {
    this.seen.set(topic, []);
    for (let partition = 0; partition < partitions; partition++) {
      const at = { topic, partition, offset: 0 };
      this.next.set(`${topic} ${partition}`, at);
      const failed = (error: MillraceError): void => void (this.failed ??= error);
      const sink = {
        chunk: (chunk: FetchedChunk): void => {
          this.take(at, chunk);
        },
        progress: ({ next }: { readonly next: number }): void => void (at.offset = next),
        outOfRange: (): void => undefined,
        failed,
      };
      this.fetcher.add({ ...at, sink });
    }
  }

  /** Everything that is there was read, and no transaction is open any more. */
  get isThrough(): boolean {
    return [...this.next.values()].every((at) => {
      const there = this.broker.partition(at);
      return there === undefined || (there.openTransactions.length === 0 && at.offset >= there.highWatermark);
    });
  }

  /** Everything that can be read now was read. */
  get hasAll(): boolean {
    return [...this.next.values()].every((at) => at.offset >= (this.broker.partition(at)?.lastStableOffset ?? 0));
  }

  topics(): readonly string[] {
    return [...this.seen.keys()];
  }

  /** When each record of a topic was seen, ms since the run began. */
  times(topic: string): readonly number[] {
    return (this.seen.get(topic) ?? []).map(({ at }) => at);
  }

  outputs<K, V>(topic: Topic<K, V>): { readonly at: number; readonly output: Outgoing<K, V> }[] {
    return (this.seen.get(topic.name) ?? []).map((record) => ({ at: record.at, output: readOutgoing(topic, record) }));
  }

  close(): void {
    this.fetcher.close();
    void this.port.close();
  }

  private take(at: TopicPartition & { offset: number }, { records, aborted, next }: FetchedChunk): void {
    const reader = new BatchReader(at);
    reader.reset(records, { aborted, from: at.offset, readCommitted: true });
    const time = this.clock.monotonic();
    while (reader.nextRecord()) {
      this.seen.get(at.topic)?.push({ partition: at.partition, offset: reader.offset, bytes: records, at: time });
    }
    at.offset = next;
  }
}
