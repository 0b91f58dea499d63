import { MillraceError } from '../errors/millrace-error';
import { describeCode } from '../kafka/describe-code';
import { kafkaCode } from '../kafka/error-codes';
import type { ClusterView } from '../kafka/cluster-view';
import type { Membership } from '../kafka/membership';
import type { OffsetReader } from '../kafka/offsets';
import type { KafkaPort, OffsetToCommit, TopicPartition } from '../kafka/port';
import { coordinatorBusy, coordinatorMoved } from '../kafka/retriable-codes';
import { again, Deadline, done, doubling, retrying } from '../kafka/retrying';
import type { TopicOptions } from '../model/topic';
import type { Clock } from '../time/clock';
import type { Layout } from './layout';

export interface StartPositionsOptions {
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly offsets: OffsetReader;
  readonly membership: Membership;
  readonly clock: Clock;
  readonly groupId: string;
  readonly layout: Layout;
}

export interface TaskPositions {
  /** Next offset to read, by topic. */
  readonly positions: ReadonlyMap<string, number>;
  /** The cells as committed, '' when there are none. */
  readonly cells: string;
  /** False when the group had committed nothing for this task. */
  readonly known: boolean;
}

/** How long a first commit of start positions may take, ms. */
const GIVE_UP_AFTER_MS = 60_000;

/**
 * Where a task begins: committed offsets (requireStable) with the cells in their metadata. What has none is resolved by the topic's
 * `from` once, and committed before anything is read, so that a restart begins at the same place.
 */
export class StartPositions {
  constructor(private readonly options: StartPositionsOptions) {}

  async of(task: number, inputs: readonly TopicPartition[]): Promise<TaskPositions> {
    const { offsets, groupId } = this.options;
    const committed = await offsets.committedOffsets(groupId, inputs);
    const missing = committed.filter(({ offset }) => offset < 0);
    const resolved = missing.length === 0 ? [] : await this.resolve(missing);
    if (resolved.length > 0) await this.commit(resolved);
    const positions = new Map([...committed.filter(({ offset }) => offset >= 0), ...resolved].map(({ topic, offset }) => [topic, offset]));
    return { positions, cells: committed[0]?.metadata ?? '', known: missing.length < committed.length };
  }

  /** A position that the log no longer holds (or does not hold yet) is moved by the topic's `from`, and committed. */
  async move(at: TopicPartition): Promise<number> {
    const resolved = await this.resolve([at]);
    await this.commit(resolved);
    return resolved[0]?.offset ?? 0;
  }

  private async resolve(partitions: readonly TopicPartition[]): Promise<OffsetToCommit[]> {
    const resolved = await Promise.all(partitions.map((at) => this.resolveOne(at)));
    return resolved.map((offset, at) => ({ ...(partitions[at] as TopicPartition), offset, metadata: '' }));
  }

  private async resolveOne({ topic, partition }: TopicPartition): Promise<number> {
    const { offsets } = this.options;
    const at = { topic, partition };
    const from = this.fromOf(topic);
    const first = async (found: Promise<readonly { readonly offset: number }[]>): Promise<number> => (await found)[0]?.offset ?? 0;
    if (from === 'earliest') return first(offsets.startOffsets([at]));
    if (from === 'latest') return first(offsets.endOffsets([at], true));
    const found = await first(offsets.offsetsForTime([{ ...at, timestamp: from.getTime() }]));
    return found >= 0 ? found : first(offsets.endOffsets([at], true));
  }

  private fromOf(topic: string): 'earliest' | 'latest' | Date {
    const input = this.options.layout.inputs.find((each) => each.topic === topic);
    if (input === undefined || input.internal) return 'earliest';
    return (input.declaration as { readonly options: TopicOptions<unknown> }).options.from ?? 'earliest';
  }

  private async commit(partitions: readonly OffsetToCommit[]): Promise<void> {
    const { port, view, membership, clock, groupId } = this.options;
    const deadline = new Deadline(clock, GIVE_UP_AFTER_MS);
    await retrying({ clock, deadline, backoff: doubling, waitingFor: 'the commit of start positions' }, async () => {
      await membership.settled();
      const node = await view.coordinator('group', groupId, deadline);
      const answer = await port.offsetCommit(node, { ...membership.identity(), partitions });
      const code = answer.partitions.find(({ errorCode }) => errorCode !== kafkaCode.NONE)?.errorCode ?? kafkaCode.NONE;
      if (code === kafkaCode.NONE) return done(undefined);
      if (coordinatorMoved.has(code)) view.forgetCoordinator('group', groupId);
      if (coordinatorBusy.has(code) || code === kafkaCode.REBALANCE_IN_PROGRESS) return again(code);
      throw new MillraceError('BROKER_ERROR', `start positions of group "${groupId}" cannot be committed: ${describeCode(code)}`, {
        retryable: code === kafkaCode.ILLEGAL_GENERATION || code === kafkaCode.UNKNOWN_MEMBER_ID,
      });
    });
  }
}
