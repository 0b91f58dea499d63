import { MillraceError } from '../errors/millrace-error';
import { kafkaCode } from '../kafka/error-codes';
import type { GroupFence } from '../kafka/group-fence';
import type { BatchToProduce } from '../kafka/produce-outcome';
import { mergeByTime } from '../kafka/merge-batches';
import type { EncodedBatch } from '../kafka/batch-encode';
import type { Compression } from '../kafka/compression';
import type { MemberIdentity, TopicPartition } from '../kafka/port';
import type { TransactionalProducer } from '../kafka/transaction';
import type { Membership } from '../kafka/membership';
import type { Metrics } from '../model/metrics';
import type { OutboxTopic } from '../task/outbox';
import type { SealedTask } from '../task/stream-task';
import type { Clock, TimerHandle } from '../time/clock';
import type { Layout } from './layout';
import { MAX_MESSAGE_BYTES } from './written-topics';
import type { OwnedTask } from './owned-task';

/** What happened to the tasks of a transaction that did not commit, told to whoever owns tasks. */
export interface CommitEvents {
  committed(sealed: readonly SealedTask[]): void;
  /** Decided as aborted, the producer's epoch renewed: these start again from committed offsets. */
  aborted(tasks: readonly OwnedTask[], reason: MillraceError): void;
  /** The membership is void, or some task has left; the producer must `recover` once the group was joined again. */
  lost(tasks: readonly OwnedTask[], reason: MillraceError): void;
  failed(reason: MillraceError): void;
}

export interface CommitOptions {
  readonly producer: TransactionalProducer;
  readonly membership: Membership;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly layout: Layout;
  readonly intervalMs: number;
  readonly compression: Compression;
  /** Topics that are written, by name. */
  readonly written: ReadonlyMap<string, OutboxTopic>;
  /** All tasks that may contribute: opened and not dropped. */
  readonly tasks: () => readonly OwnedTask[];
  readonly events: CommitEvents;
}

/** Transactions in a row that may be aborted before that is the end: the same work would be done again and again for nothing. */
const MOST_ABORTS_IN_A_ROW = 10;

/** What the broker says of a transactional id that it ended by timeout, or gave to somebody else. */
const fencedCodes: ReadonlySet<number> = new Set([kafkaCode.INVALID_PRODUCER_EPOCH, kafkaCode.PRODUCER_FENCED]);

interface Contribution {
  readonly owned: OwnedTask;
  readonly sealed: SealedTask;
}

/**
 * The commit cycle: seal → one transaction → committed, aborted or lost. One transaction is under way at a time; the loop goes on
 * pushing into the next layer meanwhile. Nothing of a transaction is sent before it is sealed.
 */
export class CommitCycle {
  private due = false;
  private stopped = false;
  private timer: TimerHandle | undefined;
  private underWay: Promise<void> | undefined;
  private abortsInARow = 0;
  /** They had calls in flight when the others were sealed, and take no further record until they are. */
  private readonly settling = new Set<OwnedTask>();

  constructor(private readonly options: CommitOptions) {}

  start(): void {
    if (this.stopped) return;
    this.timer = this.options.clock.setTimer(this.options.intervalMs, () => {
      if (this.stopped) return;
      this.due = true;
      this.beginIfDue();
      this.start();
    });
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  /** Called between slices: begins a transaction when one is due, or a task has settled that waits for one, and none is under way. */
  beginIfDue(): void {
    if (this.underWay !== undefined || !(this.due || this.hasSettled)) return;
    this.due = false;
    this.begin();
  }

  private get hasSettled(): boolean {
    for (const { task } of this.settling) if (task?.atBoundary === true) return true;
    return false;
  }

  /** Settles when the transaction that is under way now, if there is one, has been decided; not those that begin meanwhile. */
  async settled(): Promise<void> {
    await this.underWay;
  }

  /** Commits everything that is at a boundary now; for draining. */
  async now(): Promise<void> {
    await this.underWay;
    // One that has begun in between has taken it all; waiting for none to be under way could take for ever.
    if (this.underWay === undefined) this.begin();
    await this.underWay;
  }

  private begin(): void {
    // Lost: nothing may be begun before it was recovered.
    if (this.options.producer.state !== 'READY') return;
    const { contributions, failure } = this.seal();
    if (contributions.length > 0) {
      this.underWay = this.commit(contributions)
        .catch((cause: unknown) => {
          this.giveUp(contributions, asMillraceError(cause));
        })
        .finally(() => {
          this.underWay = undefined;
          this.beginIfDue();
        });
    }
    if (failure !== undefined) this.options.events.failed(failure);
  }

  /** What a task cannot seal (a value that does not encode, a changelog record that is too large) ends the instance, without that task. */
  private seal(): { readonly contributions: readonly Contribution[]; readonly failure: MillraceError | undefined } {
    const contributions: Contribution[] = [];
    let failure: MillraceError | undefined;
    this.settling.clear();
    for (const owned of this.options.tasks()) {
      if (owned.task === undefined || owned.dropped || !owned.contributes) continue;
      if (!owned.task.atBoundary) {
        if (owned.task.admitNoMore()) this.settling.add(owned);
        continue;
      }
      try {
        const sealed = owned.task.seal();
        if (sealed !== undefined) contributions.push({ owned, sealed });
      } catch (cause) {
        owned.contributes = false;
        failure ??= asMillraceError(cause);
      }
    }
    return { contributions, failure };
  }

  /** None of this may be sealed again: it is neither committed nor undone. */
  private giveUp(contributions: readonly Contribution[], reason: MillraceError): void {
    for (const { owned } of contributions) owned.contributes = false;
    this.options.events.failed(reason);
  }

  private async commit(contributions: readonly Contribution[]): Promise<void> {
    const { producer, clock, metrics, events } = this.options;
    const began = clock.monotonic();
    const outcome = await producer.commit({
      batches: this.batchesOf(contributions),
      offsets: contributions.flatMap(({ sealed }) => sealed.offsets),
      fence: this.fence(contributions),
    });
    switch (outcome.kind) {
      case 'committed': {
        metrics.add('commit-total', 1, {});
        metrics.add('commit-latency-ms', clock.monotonic() - began, {});
        this.abortsInARow = 0;
        this.apply(contributions, new Map(outcome.ends.map(({ topic, partition, next }) => [`${topic} ${String(partition)}`, next])));
        if (producer.state === 'RECOVERING') events.lost([], committedAndLost());
        return;
      }
      case 'aborted':
        this.aborted(contributions, outcome.reason);
        return;
      case 'refused': {
        metrics.add('abort-total', 1, {});
        const [first] = outcome.refusals;
        this.giveUp(contributions, first?.error ?? new MillraceError('PRODUCE_REFUSED', 'the broker refused a batch'));
        return;
      }
      case 'lost':
        metrics.add('abort-total', 1, {});
        events.lost(tasksOf(contributions), outcome.reason);
        return;
      case 'fenced':
        this.giveUp(contributions, outcome.reason);
    }
  }

  private aborted(contributions: readonly Contribution[], reason: MillraceError): void {
    const { metrics, events } = this.options;
    metrics.add('abort-total', 1, {});
    if (++this.abortsInARow < MOST_ABORTS_IN_A_ROW) events.aborted(tasksOf(contributions), reason);
    else this.giveUp(contributions, reason);
  }

  /** Batches for one repartition partition are merged by time across tasks; all others belong to one task each, or need no order. */
  private batchesOf(contributions: readonly Contribution[]): BatchToProduce<undefined>[] {
    const { layout, written, compression } = this.options;
    const batches: BatchToProduce<undefined>[] = [];
    const through = new Map<string, { readonly at: TopicPartition; readonly writers: Map<SealedTask, EncodedBatch[]> }>();
    for (const { sealed } of contributions) {
      for (const { topic, partition, batch } of sealed.batches) {
        if (contributions.length === 1 || !layout.repartitionOrder.includes(topic)) {
          batches.push({ topic, partition, batch, source: undefined });
          continue;
        }
        const key = `${topic} ${String(partition)}`;
        const shared = through.get(key) ?? { at: { topic, partition }, writers: new Map<SealedTask, EncodedBatch[]>() };
        shared.writers.set(sealed, [...(shared.writers.get(sealed) ?? []), batch]);
        through.set(key, shared);
      }
    }
    for (const { at, writers } of through.values()) {
      const all = [...writers.values()];
      const maxBytes = written.get(at.topic)?.maxBytes ?? MAX_MESSAGE_BYTES;
      const merged = all.length === 1 ? all.flat() : mergeByTime(at, all, { maxBytes }, { compression, transactional: true });
      for (const batch of merged) batches.push({ ...at, batch, source: undefined });
    }
    return batches;
  }

  /** The sealed layers become committed; LevelDB gets them later, in its own batches. */
  private apply(contributions: readonly Contribution[], ends: ReadonlyMap<string, number>): void {
    const { layout, metrics, events } = this.options;
    for (const { owned, sealed } of contributions) {
      metrics.add('process-total', sealed.records, { task: String(owned.number) });
      sealed.counted.mergeInto(metrics, owned.number);
      if (owned.dropped) continue;
      const changelogs = new Map<string, number>();
      for (const { name } of layout.stores) {
        const end = ends.get(`${layout.changelogOf(name)} ${String(owned.number)}`);
        if (end !== undefined) changelogs.set(name, end);
      }
      sealed.task.committed(sealed, changelogs);
    }
    events.committed(contributions.map(({ sealed }) => sealed));
  }

  /**
   * The offsets go out under the generation of the moment they are sent, as long as every task of the transaction has been ours all the
   * time. One that is being given up is ours until the group is joined again without it (decision 0009). If one was dropped meanwhile the sealed identity is sent, which the broker refuses: never one that is "as of now", and never
   * generation -1, which it does not check at all.
   */
  private fence(contributions: readonly Contribution[]): GroupFence {
    const { membership } = this.options;
    let last: MemberIdentity = membership.identity();
    const current = (): boolean => contributions.every(({ owned }) => !owned.dropped);
    const identity = (): MemberIdentity => {
      const now = membership.identity();
      if (current() && now.generationId >= 0) last = now;
      return last;
    };
    return {
      identity,
      renew: async (code) => {
        const refused = last.generationId;
        await membership.settled(refused);
        if (fencedCodes.has(code) && !(await membership.inGoodStanding())) return undefined;
        if (!current()) return undefined;
        const renewed = identity();
        const same = renewed.generationId === refused;
        return renewed.generationId < 0 || (same && code === kafkaCode.ILLEGAL_GENERATION) ? undefined : renewed;
      },
    };
  }
}

function tasksOf(contributions: readonly Contribution[]): OwnedTask[] {
  return contributions.map(({ owned }) => owned);
}

function asMillraceError(cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause;
  return new MillraceError('BROKER_ERROR', `the commit failed: ${String(cause)}`, { cause });
}

function committedAndLost(): MillraceError {
  return new MillraceError('FENCED', 'a transaction was committed, but the group may no longer count this member in', { retryable: true });
}
