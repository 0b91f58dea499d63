/** One client of a broker in this process, on a clock driven by hand. */
import { BatchBuilder, type EncodedBatch } from '../../src/kafka/batch-encode';
import { BatchReader } from '../../src/kafka/batch-decode';
import { ClusterView, type ClusterViewOptions } from '../../src/kafka/cluster-view';
import type { GroupFence } from '../../src/kafka/group-fence';
import type { KafkaPort, MemberIdentity, NodeId, OffsetToCommit } from '../../src/kafka/port';
import type { BatchToProduce } from '../../src/kafka/produce-outcome';
import { TransactionalProducer, type TransactionalProducerOptions } from '../../src/kafka/transaction';
import type { CommitOutcome, TransactionStep } from '../../src/kafka/transaction-outcome';
import type { Call } from '../../src/memory/call';
import { memoryBroker, type MemoryBroker, type MemoryBrokerOptions } from '../../src/memory/memory-broker';
import { silentLogger } from '../../src/model/logger';
import { manualClock, type ManualClock } from '../../src/time/manual-clock';

export const GROUP = 'app';
export const TRANSACTIONAL_ID = 'app-1-0';

export type ApiName = Call['api'];

/** When the clock starts: as old as the markers, which would else begin segments of their own. */
const WRITTEN_AT = Date.UTC(2026, 0, 1);

/** A batch of records whose values are these texts. */
export function batchOf(...values: string[]): EncodedBatch {
  return keyedBatch(...values.map((value) => ['key', value] as const));
}

export function keyedBatch(...records: (readonly [key: string, value: string | null])[]): EncodedBatch {
  const builder = new BatchBuilder();
  for (const [key, value] of records) builder.append(WRITTEN_AT, key, value);
  return builder.finish({ compression: 'none', transactional: true });
}

export function toProduce(topic: string, partition: number, ...values: string[]): BatchToProduce<string> {
  return { topic, partition, batch: batchOf(...values), source: values.join(' ') };
}

export const offset = (partition: number, next: number, metadata = ''): OffsetToCommit => ({
  topic: 'input',
  partition,
  offset: next,
  metadata,
});

/** A request as the broker got it, while it was listened to. */
export interface Heard {
  readonly api: ApiName;
  readonly node: NodeId;
  readonly at: number;
  readonly request: Call['request'];
}

export class Simulated {
  readonly clock: ManualClock;
  readonly broker: MemoryBroker;
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly heard: Heard[] = [];
  readonly steps: TransactionStep[] = [];

  constructor(options: Partial<MemoryBrokerOptions> & { readonly view?: Partial<ClusterViewOptions> } = {}) {
    this.clock = manualClock();
    const { view, ...brokerOptions } = options;
    this.broker = memoryBroker({ clock: this.clock, ...brokerOptions });
    this.port = this.broker.connect('client');
    this.view = new ClusterView({ port: this.port, clock: this.clock, logger: silentLogger, ...view });
    // Never strikes: an ear at the broker's door.
    this.broker.faults.add({ match: (call) => this.#hear(call), action: { kind: 'delay', ms: 0 } });
  }

  #hear({ api, node, request }: Call): boolean {
    this.heard.push({ api, node, at: this.clock.monotonic(), request });
    return false;
  }

  /** What was asked of the broker since, by name. */
  apis(): ApiName[] {
    return this.heard.map(({ api }) => api);
  }

  count(api: ApiName): number {
    return this.heard.filter((heard) => heard.api === api).length;
  }

  /** Lets time pass until the promise settles; more than `withinMs` of it is a failure. */
  async settle<T>(promise: Promise<T>, withinMs = 300_000): Promise<T> {
    let settled = false;
    const watched = promise.finally(() => (settled = true));
    watched.catch(() => undefined);
    const end = this.clock.monotonic() + withinMs;
    await this.clock.advance(0);
    while (!settled && this.clock.monotonic() < end && (await this.clock.step()));
    if (!settled) throw new Error(`Not settled ${withinMs} ms later; last requests: ${this.apis().slice(-5).join(', ')}`);
    return watched;
  }

  async until(condition: () => boolean, withinMs = 300_000): Promise<void> {
    const end = this.clock.monotonic() + withinMs;
    await this.clock.advance(0);
    while (!condition() && this.clock.monotonic() < end && (await this.clock.step()));
    if (!condition()) throw new Error(`The condition did not come true within ${withinMs} ms`);
  }

  /** The first `times` requests of that kind are answered with a code, without effect. */
  answer(api: ApiName, errorCode: number, times = 1): void {
    this.broker.faults.add({ match: (call) => call.api === api, action: { kind: 'answer', errorCode }, times });
  }

  /** The next request of that kind takes effect, and its answer is lost. */
  loseAnswer(api: ApiName, then: 'disconnect' | 'hang' = 'disconnect', times = 1): void {
    this.broker.faults.add({ match: (call) => call.api === api, action: { kind: 'lose answer', then }, times });
  }

  /** A port of its own, as another process has it. */
  other(name: string): KafkaPort {
    return this.broker.connect(name);
  }

  async coordinator(type: 'group' | 'transaction', key: string): Promise<NodeId> {
    return (await this.settle(this.port.findCoordinator({ type, key }))).nodeId;
  }

  /** Joins the group alone, or as what it already is; completes with SyncGroup. */
  async join(memberId = '', port = this.port): Promise<MemberIdentity> {
    const node = await this.coordinator('group', GROUP);
    const request = {
      groupId: GROUP,
      memberId,
      groupInstanceId: null,
      // No heartbeats are sent here.
      sessionTimeoutMs: 1_800_000,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: [{ name: 'test', metadata: Buffer.alloc(0) }],
    };
    let answer = await this.settle(port.joinGroup(node, request));
    if (answer.errorCode === 79) answer = await this.settle(port.joinGroup(node, { ...request, memberId: answer.memberId }));
    const identity = { groupId: GROUP, memberId: answer.memberId, generationId: answer.generationId, groupInstanceId: null };
    const assignments = answer.members.map((member) => ({ memberId: member.memberId, assignment: Buffer.alloc(0) }));
    const synced = await this.settle(port.syncGroup(node, { ...identity, assignments }));
    expect([answer.errorCode, synced.errorCode]).toEqual([0, 0]);
    return identity;
  }

  producer(options: Partial<TransactionalProducerOptions> = {}): TransactionalProducer {
    const { port, view, clock } = this;
    const onStep = (step: TransactionStep): void => void this.steps.push(step);
    return new TransactionalProducer({ port, view, clock, logger: silentLogger, transactionalId: TRANSACTIONAL_ID, onStep, ...options });
  }

  async initialised(options: Partial<TransactionalProducerOptions> = {}): Promise<TransactionalProducer> {
    const producer = this.producer(options);
    await this.settle(producer.initialise());
    return producer;
  }

  /** Commits values to partitions of `output`, and one offset. */
  commit(
    producer: TransactionalProducer,
    fence: GroupFence,
    next: number,
    ...batches: readonly BatchToProduce<string>[]
  ): Promise<CommitOutcome<string>> {
    return this.settle(producer.commit({ batches, offsets: [offset(0, next)], fence }));
  }

  /** The values a read_committed reader sees up to the high watermark. Waits for markers. */
  async committed(topic: string, partition: number): Promise<string[]> {
    await this.clock.advance(1_000);
    const view = this.broker.partition({ topic, partition })!;
    expect(view.lastStableOffset).toBe(view.highWatermark);
    const node = await this.settle(this.view.leaderOf(topic, partition));
    const partitions = [{ topic, partition, offset: view.logStartOffset, maxBytes: 1 << 26, leaderEpoch: -1 }];
    const request = { maxWaitMs: 0, minBytes: 0, maxBytes: 1 << 26, readCommitted: true, partitions };
    const answer = (await this.settle(this.port.fetch(node, request, 'restore'))).partitions[0]!;
    const reader = new BatchReader({ topic, partition });
    reader.reset(answer.records, { aborted: answer.aborted, from: view.logStartOffset, readCommitted: true });
    const values: string[] = [];
    while (reader.nextRecord()) values.push(reader.buffer.toString('utf8', reader.valueStart, reader.valueEnd));
    return values;
  }

  committedOffset(partition = 0): number | undefined {
    return this.broker.group(GROUP)?.committed.find((each) => each.topic === 'input' && each.partition === partition)?.offset;
  }

  close(): void {
    this.broker.close();
  }
}

/** A fence whose owner is in good standing and stays what it is. */
export function fenceOf(identity: MemberIdentity, renew: GroupFence['renew'] = () => Promise.resolve(identity)): GroupFence {
  return { identity: () => identity, renew };
}
