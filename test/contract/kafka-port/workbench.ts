import { BatchReader } from '../../../src/kafka/batch-decode';
import { BatchBuilder, stamp } from '../../../src/kafka/batch-encode';
import { kafkaCode } from '../../../src/kafka/error-codes';
import type {
  FetchPartitionAnswer,
  FetchPartitionRequest,
  FetchRequest,
  KafkaPort,
  NodeId,
  ProducePartitionAnswer,
  TopicPartition,
} from '../../../src/kafka/port';
import type { KafkaPortContractOptions } from './contract';

/** What a broker says while it loads, moves, or ends the transaction before. */
const PASSING = new Set<number>([
  kafkaCode.COORDINATOR_LOAD_IN_PROGRESS,
  kafkaCode.COORDINATOR_NOT_AVAILABLE,
  kafkaCode.NOT_COORDINATOR,
  kafkaCode.CONCURRENT_TRANSACTIONS,
]);

export interface RecordToWrite {
  readonly key?: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly timestamp?: number;
}

export interface BatchToWrite {
  readonly producerId?: bigint;
  readonly producerEpoch?: number;
  readonly sequence?: number;
  readonly transactional?: boolean;
}

export interface ReadOptions {
  readonly from?: number;
  readonly readCommitted?: boolean;
}

const FETCH: FetchRequest = { maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, readCommitted: true, partitions: [] };

/** A client of the broker under test, and short words for what the chapters do with it. */
export class Workbench {
  readonly #topics: string[] = [];
  readonly #ports: KafkaPort[] = [];
  readonly #run = `contract-${Date.now().toString(36)}-${Math.floor(Math.random() * 1e6).toString(36)}`;
  #names = 0;
  #port: KafkaPort | undefined;

  constructor(private readonly options: KafkaPortContractOptions) {}

  async open(): Promise<void> {
    this.#port = await this.connect();
  }

  async close(): Promise<void> {
    if (this.#topics.length > 0) await this.port.deleteTopics(this.#topics, 10_000);
    for (const port of this.#ports) await port.close();
  }

  get port(): KafkaPort {
    if (this.#port === undefined) throw new Error('open() the workbench first');
    return this.#port;
  }

  /** Another client, with connections of its own. */
  async connect(): Promise<KafkaPort> {
    const port = await this.options.connect(this.name('client'));
    this.#ports.push(port);
    return port;
  }

  now(): number {
    return this.options.now();
  }

  /** Lets that many ms of the broker's time pass. */
  pause(ms: number): Promise<void> {
    return this.options.pause(ms);
  }

  /** A name nobody has used, in this run or any other. */
  name(what: string): string {
    return `${this.#run}-${what}-${String(this.#names++)}`;
  }

  /** Asks again until there is an answer that is not undefined. */
  async eventually<T>(what: string, ask: () => Promise<T | undefined> | T | undefined, withinMs = 30_000): Promise<T> {
    const end = this.now() + withinMs;
    for (;;) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      if (this.now() > end) throw new Error(`not within ${String(withinMs)} ms: ${what}`);
      await this.options.pause(2);
    }
  }

  /** The same, with compaction and retention before each question. */
  cleanedUp<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
    return this.eventually(what, () => {
      this.options.cleanUp?.();
      return ask();
    });
  }

  /** Repeats a request while the broker is only busy, and gives its final code. */
  code(what: string, ask: () => Promise<{ readonly errorCode: number }>): Promise<number> {
    return this.eventually(`${what} is answered`, async () => {
      const { errorCode } = await ask();
      return PASSING.has(errorCode) ? undefined : errorCode;
    });
  }

  async topic(partitions = 1, configs: Readonly<Record<string, string>> = {}): Promise<string> {
    const topic = this.name('topic');
    const created = await this.port.createTopics([{ topic, partitions, replicationFactor: -1, configs }], 10_000);
    expect(created.topics).toEqual([expect.objectContaining({ topic, errorCode: 0 })]);
    this.#topics.push(topic);
    await this.eventually(`${topic} is led`, async () => (await this.isLed(topic, partitions)) || undefined);
    return topic;
  }

  /** Metadata names a leader before that knows its partition: it answers 6, or 75 to a fetch, for some ms. */
  async isLed(topic: string, count: number): Promise<boolean> {
    const { partitions } = (await this.port.metadata([topic])).topics[0]!;
    if (partitions.length < count || partitions.some(({ leader }) => leader < 0)) return false;
    for (const { partition, leader } of partitions) {
      const request = { readCommitted: false, partitions: [{ topic, partition, timestamp: -1 }] };
      if ((await this.port.listOffsets(leader, request)).partitions[0]!.errorCode !== 0) return false;
    }
    return true;
  }

  async partition(configs: Readonly<Record<string, string>> = {}): Promise<TopicPartition> {
    return { topic: await this.topic(1, configs), partition: 0 };
  }

  async leader({ topic, partition }: TopicPartition): Promise<NodeId> {
    const { topics } = await this.port.metadata([topic]);
    return topics[0]!.partitions.find((each) => each.partition === partition)!.leader;
  }

  coordinator(type: 'group' | 'transaction', key: string, port = this.port): Promise<NodeId> {
    return this.eventually(`the coordinator of ${key}`, async () => {
      const { errorCode, nodeId } = await port.findCoordinator({ key, type });
      return errorCode === 0 ? nodeId : undefined;
    });
  }

  batch(records: readonly (RecordToWrite | string)[], options: BatchToWrite = {}): Buffer {
    const builder = new BatchBuilder();
    for (const each of records) {
      const record = typeof each === 'string' ? { value: each } : each;
      builder.append(record.timestamp ?? this.now(), record.key ?? null, record.value);
    }
    const batch = builder.finish({ compression: 'none', transactional: options.transactional ?? false });
    stamp(batch, options.producerId ?? -1n, options.producerEpoch ?? -1, options.sequence ?? -1);
    return Buffer.from(batch.bytes);
  }

  async produceBatch(to: TopicPartition, records: Uint8Array, transactionalId: string | null = null): Promise<ProducePartitionAnswer> {
    const request = { transactionalId, timeoutMs: 10_000, partitions: [{ ...to, records }] };
    const { partitions } = await this.port.produce(await this.leader(to), request);
    expect(partitions).toHaveLength(1);
    return partitions[0]!;
  }

  /** Writes one batch that must be taken; gives its base offset. */
  async write(to: TopicPartition, ...records: (RecordToWrite | string)[]): Promise<number> {
    const answer = await this.produceBatch(to, this.batch(records));
    expect(answer.errorCode).toBe(0);
    return answer.baseOffset;
  }

  async fetch(
    from: TopicPartition & Partial<FetchPartitionRequest>,
    options: Partial<FetchRequest> = {},
    port = this.port,
  ): Promise<FetchPartitionAnswer> {
    const partition = { offset: 0, maxBytes: 1 << 20, leaderEpoch: -1, ...from };
    const { errorCode, partitions } = await port.fetch(await this.leader(from), { ...FETCH, ...options, partitions: [partition] }, 'input');
    expect(errorCode).toBe(0);
    expect(partitions).toHaveLength(1);
    return partitions[0]!;
  }

  /** All values up to where this isolation lets a reader go, in order of offsets. */
  async read(name: TopicPartition, { from = 0, readCommitted = true }: ReadOptions = {}): Promise<string[]> {
    const reader = new BatchReader(name);
    const values: string[] = [];
    for (let offset = from; ;) {
      const answer = await this.fetch({ ...name, offset }, { readCommitted });
      expect(answer.errorCode).toBe(0);
      reader.reset(answer.records, { aborted: answer.aborted, from: offset, readCommitted });
      while (reader.nextRecord()) values.push(reader.buffer.toString('utf8', reader.valueStart, reader.valueEnd));
      if (reader.nextOffset === offset) return values;
      offset = reader.nextOffset;
    }
  }

  /** Log start, last stable offset and high watermark. */
  async offsets(name: TopicPartition): Promise<{ readonly start: number; readonly stable: number; readonly end: number }> {
    const ask = async (timestamp: number, readCommitted: boolean): Promise<number> => {
      const request = { readCommitted, partitions: [{ ...name, timestamp }] };
      const answer = (await this.port.listOffsets(await this.leader(name), request)).partitions[0]!;
      expect(answer.errorCode).toBe(0);
      return answer.offset;
    };
    return { start: await ask(-2, false), stable: await ask(-1, true), end: await ask(-1, false) };
  }

  /** Waits until no transaction is open or being completed below the end. */
  stable(name: TopicPartition): Promise<number> {
    return this.eventually('everything is decided', async () => {
      const { stable, end } = await this.offsets(name);
      return stable === end ? end : undefined;
    });
  }
}
