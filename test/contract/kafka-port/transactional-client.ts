import { kafkaCode } from '../../../src/kafka/error-codes';
import type {
  InitProducerIdAnswer,
  KafkaPort,
  MemberIdentity,
  NodeId,
  OffsetToCommit,
  ProducePartitionAnswer,
  ProducerIdentity,
  TopicPartition,
  TransactionDescription,
} from '../../../src/kafka/port';
import { partitionName } from './partition-name';
import type { RecordToWrite, Workbench } from './workbench';

const ANONYMOUS = { memberId: '', generationId: -1, groupInstanceId: null };

/** One holder of a transactional id, who sends each request exactly as told. */
export class TransactionalClient {
  identity: ProducerIdentity = { producerId: -1n, producerEpoch: -1 };
  #sequences = new Map<string, number>();

  private constructor(
    private readonly bench: Workbench,
    private readonly port: KafkaPort,
    readonly transactionalId: string,
    private readonly node: NodeId,
  ) {}

  /** Not initialised yet. */
  static async create(bench: Workbench, transactionalId = bench.name('id')): Promise<TransactionalClient> {
    return new TransactionalClient(bench, bench.port, transactionalId, await bench.coordinator('transaction', transactionalId));
  }

  static async initialised(bench: Workbench, transactionalId?: string, timeoutMs?: number): Promise<TransactionalClient> {
    const client = await TransactionalClient.create(bench, transactionalId);
    await client.begin(undefined, timeoutMs);
    return client;
  }

  /** One InitProducerId: the bare answer. */
  init(current?: ProducerIdentity, transactionTimeoutMs = 60_000): Promise<InitProducerIdAnswer> {
    const request = { transactionalId: this.transactionalId, transactionTimeoutMs };
    return this.port.initProducerId(this.node, current === undefined ? request : { ...request, current });
  }

  /** InitProducerId until it is answered 0: from then on this client holds the id. */
  async begin(current?: ProducerIdentity, timeoutMs?: number): Promise<ProducerIdentity> {
    let answer: InitProducerIdAnswer | undefined;
    const errorCode = await this.bench.code('InitProducerId', async () => (answer = await this.init(current, timeoutMs)));
    expect(errorCode).toBe(0);
    const { producerId, producerEpoch } = answer!;
    this.identity = { producerId, producerEpoch };
    this.#sequences = new Map();
    return this.identity;
  }

  /** What the coordinator says of this id. */
  async describe(): Promise<TransactionDescription> {
    const { transactions } = await this.port.describeTransactions(this.node, [this.transactionalId]);
    expect(transactions).toHaveLength(1);
    return transactions[0]!;
  }

  /** One AddPartitionsToTxn: the codes in the order of the partitions. */
  async add(...partitions: TopicPartition[]): Promise<number[]> {
    const request = { transactionalId: this.transactionalId, ...this.identity, partitions };
    const answer = await this.port.addPartitionsToTxn(this.node, request);
    return partitions.map(
      (each) => answer.partitions.find(({ topic, partition }) => topic === each.topic && partition === each.partition)!.errorCode,
    );
  }

  /** Adds the partitions, once the transaction before is complete. */
  async join(...partitions: TopicPartition[]): Promise<void> {
    const errorCode = await this.bench.code('AddPartitionsToTxn', async () => ({ errorCode: (await this.add(...partitions))[0]! }));
    expect(errorCode).toBe(0);
  }

  /** A batch in this client's name; sequences go on from batch to batch unless one is given. */
  batch(to: TopicPartition, records: readonly (RecordToWrite | string)[], sequence?: number, transactional = true): Buffer {
    const name = partitionName(to);
    const first = sequence ?? this.#sequences.get(name) ?? 0;
    this.#sequences.set(name, first + records.length);
    return this.bench.batch(records, { ...this.identity, sequence: first, transactional });
  }

  produceBatch(to: TopicPartition, bytes: Uint8Array): Promise<ProducePartitionAnswer> {
    return this.bench.produceBatch(to, bytes, this.transactionalId);
  }

  produce(to: TopicPartition, ...records: (RecordToWrite | string)[]): Promise<ProducePartitionAnswer> {
    return this.produceBatch(to, this.batch(to, records));
  }

  /** Adds the partition and writes one batch that must be taken; gives its base offset. */
  async write(to: TopicPartition, ...records: (RecordToWrite | string)[]): Promise<number> {
    await this.join(to);
    const answer = await this.produce(to, ...records);
    expect(answer.errorCode).toBe(0);
    return answer.baseOffset;
  }

  async addOffsets(groupId: string): Promise<number> {
    const request = { transactionalId: this.transactionalId, ...this.identity, groupId };
    return (await this.port.addOffsetsToTxn(this.node, request)).errorCode;
  }

  /** AddOffsetsToTxn, once the transaction before is complete. */
  async joinOffsets(groupId: string): Promise<void> {
    expect(await this.bench.code('AddOffsetsToTxn', async () => ({ errorCode: await this.addOffsets(groupId) }))).toBe(0);
  }

  /** One TxnOffsetCommit, repeated only while the broker is busy: the codes in the order of the offsets. */
  async commitOffsets(groupId: string, offsets: readonly OffsetToCommit[], member: Partial<MemberIdentity> = {}): Promise<number[]> {
    const node = await this.bench.coordinator('group', groupId);
    const request = { transactionalId: this.transactionalId, ...this.identity, ...ANONYMOUS, ...member, groupId, partitions: offsets };
    return this.bench.eventually('TxnOffsetCommit is answered', async () => {
      const { partitions } = await this.port.txnOffsetCommit(node, request);
      if (partitions.some(({ errorCode }) => errorCode === kafkaCode.COORDINATOR_LOAD_IN_PROGRESS)) return undefined;
      return offsets.map(
        (each) => partitions.find(({ topic, partition }) => topic === each.topic && partition === each.partition)!.errorCode,
      );
    });
  }

  /** One EndTxn: the bare code. */
  async end(commit: boolean): Promise<number> {
    return (await this.port.endTxn(this.node, { transactionalId: this.transactionalId, ...this.identity, commit })).errorCode;
  }

  /** The same EndTxn until it is not 51: how an unknown outcome is settled. */
  settle(commit: boolean): Promise<number> {
    return this.bench.code('EndTxn', async () => ({ errorCode: await this.end(commit) }));
  }
}
