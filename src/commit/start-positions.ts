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
import { latestCells } from '../state/cells';
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
  /** Those of them that are not committed yet. */
  readonly resolved: readonly OffsetToCommit[];
  /** The cells as committed, '' when there are none. */
  readonly cells: string;
  /** False when the group had committed nothing for this task. */
  readonly known: boolean;
}

/** A join is under way, or was completed; or the next heartbeat will find that the membership was lost. */
const membershipMoves: ReadonlySet<number> = new Set([
  kafkaCode.REBALANCE_IN_PROGRESS,
  kafkaCode.ILLEGAL_GENERATION,
  kafkaCode.UNKNOWN_MEMBER_ID,
]);

/** How long a first commit of start positions may take, ms. */
const GIVE_UP_AFTER_MS = 60_000;

/**
 * Where a task begins: committed offsets (requireStable) with the cells in their metadata. What has none is resolved by the topic's
 * `from` once, and to be committed before anything is read, so that a restart begins at the same place.
 */
export class StartPositions {
  constructor(private readonly options: StartPositionsOptions) {}

  async of(inputs: readonly TopicPartition[]): Promise<TaskPositions> {
    const { offsets, groupId } = this.options;
    const committed = await offsets.committedOffsets(groupId, inputs);
    const missing = committed.filter(({ offset }) => offset < 0);
    const resolved = await this.resolve(missing);
    const positions = new Map([...committed.filter(({ offset }) => offset >= 0), ...resolved].map(({ topic, offset }) => [topic, offset]));
    const cells = latestCells(committed.map(({ metadata }) => metadata));
    return { positions, resolved, cells, known: missing.length < committed.length };
  }

  /** A position that the log no longer holds (or does not hold yet) is moved by the topic's `from`, and committed; the cells stay. */
  async move(at: TopicPartition, cancelled: AbortSignal): Promise<number> {
    const { offsets, groupId } = this.options;
    const [committed] = await offsets.committedOffsets(groupId, [at]);
    const offset = await this.resolveOne(at);
    await this.commit([{ ...at, offset, metadata: committed?.metadata ?? '' }], cancelled);
    return offset;
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
    // Asked for first: what is written between the two questions lies behind it.
    const end = await first(offsets.endOffsets([at], true));
    const found = await first(offsets.offsetsForTime([{ ...at, timestamp: from.getTime() }]));
    return found >= 0 ? found : end;
  }

  private fromOf(topic: string): 'earliest' | 'latest' | Date {
    const input = this.options.layout.inputs.find((each) => each.topic === topic);
    if (input === undefined || input.internal) return 'earliest';
    return (input.declaration as { readonly options: TopicOptions<unknown> }).options.from ?? 'earliest';
  }

  /** Only while the task is ours: where another has worked since, a position resolved before would do its work again. */
  async commit(partitions: readonly OffsetToCommit[], cancelled: AbortSignal): Promise<void> {
    if (partitions.length === 0) return;
    const { port, view, membership, clock, groupId } = this.options;
    const deadline = new Deadline(clock, GIVE_UP_AFTER_MS);
    // One that was never answered may be executed late, when the task is far ahead: a generation that is over refuses it.
    let unreadIn = -1;
    await retrying({ clock, deadline, backoff: doubling, waitingFor: 'the commit of start positions' }, async () => {
      const node = await view.coordinator('group', groupId, deadline);
      await membership.settled();
      if (cancelled.aborted) return done(undefined);
      const identity = membership.identity();
      // Without a generation the broker checks nothing.
      if (identity.generationId < 0) return again(kafkaCode.ILLEGAL_GENERATION);
      if (identity.generationId === unreadIn) {
        membership.joinAnew();
        return again(kafkaCode.REBALANCE_IN_PROGRESS);
      }
      const answer = await port.offsetCommit(node, { ...identity, partitions }).catch((cause: unknown) => {
        unreadIn = identity.generationId;
        throw cause;
      });
      const code = answer.partitions.find(({ errorCode }) => errorCode !== kafkaCode.NONE)?.errorCode ?? kafkaCode.NONE;
      if (code === kafkaCode.NONE) return done(undefined);
      if (coordinatorMoved.has(code)) view.forgetCoordinator('group', groupId);
      if (coordinatorBusy.has(code) || membershipMoves.has(code)) return again(code);
      throw new MillraceError('BROKER_ERROR', `start positions of group "${groupId}" cannot be committed: ${describeCode(code)}`);
    });
  }
}
