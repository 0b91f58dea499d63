import type { Subscription } from 'rxjs';
import { MillraceError } from '../errors/millrace-error';
import type { OffsetToCommit } from '../kafka/port';
import type { Logger } from '../model/logger';
import { noOrigin } from '../model/origin';
import type { Outgoing } from '../model/outgoing';
import type { Policy } from '../model/policy';
import type { KafkaRecord, Placement } from '../model/record';
import type { StoreDefinition } from '../model/store-definition';
import type { InternalTopic } from '../model/topic';
import type { CellTable } from '../state/cells';
import type { TaskStores } from '../state/task-stores';
import type { Clock } from '../time/clock';
import { Assembly, sourceKey, type AssemblyHost, type Source } from './assembly';
import { InputBuffer, verdictOf, type InputDeclaration, type InputMark } from './input-buffer';
import type { Outbox, OutboxMark, SealedBatch } from './outbox';
import { PlacementCheck } from './placement-check';
import type { CountedMetrics, TaskScope } from './scope';
import { TaskClock } from './task-clock';
import type { Topology } from './topology';

/** Pushes during which every push is checkpointed after something threw, so that one more failure costs one record's replay. */
const CAUTIOUS_PUSHES = 1_000;

export interface TaskInput {
  /** `sourceKey` of the handle it feeds. */
  readonly key: string;
  readonly declaration: InputDeclaration;
  /** True when a store is fed without a repartition between: the producer's partitioner matters. */
  readonly checkPlacement: boolean;
  readonly partitions: number;
}

export interface StreamTaskOptions {
  readonly partition: number;
  readonly topology: Topology;
  /** In order of topic name: the cells travel with the first. */
  readonly inputs: readonly TaskInput[];
  readonly stores: TaskStores;
  readonly cells: CellTable;
  readonly scope: TaskScope;
  readonly outbox: Outbox;
  readonly changelogOf: (store: string) => string;
  readonly repartitionOf: (topic: string) => string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly strict: boolean;
  readonly onProcessingError: Policy;
  /** Something became runnable outside the loop. */
  readonly wake: () => void;
}

/** What a task adds to a transaction: everything up to one boundary. */
export interface SealedTask {
  readonly task: StreamTask;
  readonly batches: readonly SealedBatch[];
  readonly offsets: readonly OffsetToCommit[];
  readonly watched: readonly Outgoing[];
  readonly records: number;
  readonly outputs: number;
  readonly counted: CountedMetrics;
}

interface Input extends TaskInput {
  buffer: InputBuffer;
  committed: number;
  source: Source | undefined;
  placement: PlacementCheck | undefined;
}

interface Checkpoint {
  readonly inputs: readonly InputMark[];
  readonly outbox: OutboxMark;
  readonly records: number;
}

/**
 * One partition number at work: pushes records synchronously, depth first, and keeps all of it private until sealed.
 * Undo is replay: what threw is rolled back to the last checkpoint, the topology assembled anew, and the records pushed again.
 */
export class StreamTask implements AssemblyHost {
  readonly partition: number;
  readonly clock: TaskClock;
  /** Set when the task cannot go on: everything before the failing record can still be sealed. */
  halted: MillraceError | undefined;
  private readonly inputs: Input[];
  private assembly: Assembly | undefined;
  private subscription: Subscription | undefined;
  private pushing = false;
  private parked = 0;
  private generation = 0;
  private failure: { readonly cause: unknown } | undefined;
  private checkpoint: Checkpoint;
  private pushesSinceCheckpoint = 0;
  private cautious = 0;
  private records = 0;
  private dirty = false;
  private readonly warned = new Set<string>();

  constructor(private readonly options: StreamTaskOptions) {
    this.partition = options.partition;
    this.clock = new TaskClock(options.clock, options.wake);
    this.inputs = options.inputs.map((input) => ({
      ...input,
      buffer: this.newBuffer(input, 0),
      committed: -1,
      source: undefined,
      placement: input.checkPlacement ? new PlacementCheck(input.declaration, input.partitions) : undefined,
    }));
    this.checkpoint = this.marks();
  }

  /** Begins, or begins anew, at committed positions and cells; state is restored already. */
  start(positions: ReadonlyMap<string, number>, cells: string): void {
    const { options } = this;
    this.teardown();
    options.scope.abort();
    options.cells.restore(cells);
    options.outbox.clear();
    for (const input of this.inputs) {
      input.committed = positions.get(input.declaration.topic) ?? 0;
      input.buffer = this.newBuffer(input, input.committed);
    }
    this.halted = undefined;
    this.records = 0;
    this.dirty = false;
    this.assemble();
    this.takeCheckpoint();
  }

  stop(): void {
    this.teardown();
    this.halted ??= new MillraceError('APPLICATION_CLOSED', `task ${String(this.partition)} is stopped`);
  }

  buffer(topic: string): InputBuffer | undefined {
    return this.inputs.find((input) => input.declaration.topic === topic)?.buffer;
  }

  /** Something can be pushed now. */
  get runnable(): boolean {
    if (this.halted !== undefined || this.parked > 0) return false;
    if (this.options.scope.steps.length > 0 || this.clock.nextDue <= this.options.clock.now()) return true;
    return this.inputs.some((input) => input.buffer.head !== undefined || input.buffer.failure !== undefined);
  }

  /** An input of it has nothing to read now, although the broker has more, or may have. */
  get isStarving(): boolean {
    return this.halted === undefined && this.inputs.some(({ buffer }) => buffer.isStarving && !buffer.paused);
  }

  /** At a record boundary, with nothing in flight: may be sealed. */
  get atBoundary(): boolean {
    return !this.pushing && this.parked === 0;
  }

  /** Timestamp of the record that would be pushed next, Infinity when there is none. */
  get nextTimestamp(): number {
    let least = Infinity;
    for (const { buffer } of this.inputs) if (buffer.head !== undefined && buffer.head.timestamp < least) least = buffer.head.timestamp;
    return least;
  }

  /** Bytes of work that no commit has taken yet. */
  get privateBytes(): number {
    return this.options.stores.activeBytes;
  }

  /** Pushes one record, or one step of what a record left to do; false when there is nothing to push. */
  pushNext(): boolean {
    if (this.halted !== undefined || this.parked > 0) return false;
    if (this.cautious > 0) this.checkpointCautiously();
    const { scope } = this.options;
    if (scope.steps.length > 0) return this.runStep();
    if (this.clock.nextDue <= this.options.clock.now()) return this.runTimers();
    const input = this.nextInput();
    if (input === undefined) return false;
    const record = input.buffer.head;
    if (record === undefined) {
      this.halt(input.buffer.failure as MillraceError);
      return false;
    }
    this.pushRecord(input, record);
    return true;
  }

  private pushRecord(input: Input, record: KafkaRecord<unknown, unknown>): void {
    const { scope } = this.options;
    const misplaced = input.placement?.check(record);
    if (misplaced !== undefined) {
      this.halt(misplaced);
      return;
    }
    scope.origin = record.origin;
    this.dirty = true;
    if (scope.isPoisoned(record.origin)) {
      this.skipped('onProcessingError');
    } else {
      this.pushing = true;
      input.source?.subject.next(record);
      this.pushing = false;
      this.pushesSinceCheckpoint++;
      if (this.failure !== undefined) {
        this.undo();
        return;
      }
      if (input.source?.subject.observed === false) {
        this.failure = { cause: this.abandonedSource(input) };
        this.undo();
        return;
      }
    }
    this.records++;
    input.buffer.advance();
  }

  private runStep(): boolean {
    const { scope } = this.options;
    const step = scope.steps[scope.steps.length - 1];
    if (step === undefined) return false;
    this.dirty = true;
    const result = this.inPush(step);
    this.pushesSinceCheckpoint++;
    if (this.failure !== undefined) this.undo();
    else if (result === true) scope.steps.splice(scope.steps.lastIndexOf(step), 1);
    else if (result instanceof Promise) this.park(result);
    return true;
  }

  private runTimers(): boolean {
    this.options.scope.origin = noOrigin;
    this.inPush(() => {
      this.clock.runDue();
    });
    this.pushesSinceCheckpoint++;
    this.dirty = true;
    if (this.failure !== undefined) this.undo();
    return true;
  }

  private inPush<T>(work: () => T): T | undefined {
    this.pushing = true;
    try {
      return work();
    } catch (cause) {
      this.fail(cause);
      return undefined;
    } finally {
      this.pushing = false;
    }
  }

  private park(until: Promise<void>): void {
    const { generation } = this;
    this.parked++;
    const unpark = (): boolean => {
      if (generation !== this.generation) return false;
      this.parked--;
      this.options.wake();
      return true;
    };
    until.then(unpark, (cause: unknown) => {
      if (!unpark()) return;
      this.fail(cause);
      this.undo();
    });
  }

  private nextInput(): Input | undefined {
    let least: Input | undefined;
    for (const input of this.inputs) {
      const { buffer } = input;
      if (buffer.failure !== undefined) return input;
      if (buffer.head === undefined) continue;
      if (least?.buffer.head === undefined || buffer.head.timestamp < least.buffer.head.timestamp) least = input;
    }
    return least;
  }

  // ---- failing and undoing

  private fail(cause: unknown): void {
    this.failure ??= { cause };
    this.options.scope.failed = true;
  }

  /**
   * Rolls back to the last checkpoint and replays: without the emission that threw if the policy says skip; else up to it, with a
   * checkpoint before every push, so that the second time nothing but the failing push is undone and all before it can be committed.
   */
  private undo(): void {
    const { scope } = this.options;
    const failed = scope.innermost();
    const error = this.located(this.failure?.cause, failed.store);
    const verdict =
      error.code === 'NO_SUBSCRIBERS' || error.code === 'LATE_SUBSCRIPTION' ? 'fail' : verdictOf(this.options.onProcessingError, error);
    const exact = this.pushesSinceCheckpoint <= 1;
    this.failure = undefined;
    if (verdict === 'skip') scope.poison(failed.id);
    this.cautious = CAUTIOUS_PUSHES;
    this.rollback();
    if (verdict !== 'skip' && exact) this.halt(error);
  }

  private rollback(): void {
    const { options, checkpoint } = this;
    this.teardown();
    options.stores.rollback();
    options.cells.rollback();
    options.scope.rollback();
    options.outbox.truncate(checkpoint.outbox);
    this.inputs.forEach((input, at) => {
      const mark = checkpoint.inputs[at];
      if (mark !== undefined) input.buffer.rewind(mark);
    });
    this.records = checkpoint.records;
    this.pushesSinceCheckpoint = 0;
    this.assemble();
  }

  private halt(error: MillraceError): void {
    this.halted = error;
    this.options.wake();
  }

  private located(cause: unknown, store: string | undefined): MillraceError {
    const { topic, partition, offset } = this.options.scope.origin;
    const place = { topic, partition, offset, ...(store === undefined ? {} : { store }) };
    const known = cause instanceof MillraceError ? cause : undefined;
    const what = cause instanceof Error ? cause.message : String(cause);
    const where =
      offset < 0 ? `task ${String(this.partition)}` : `topic "${topic}", partition ${String(partition)}, offset ${String(offset)}`;
    return new MillraceError(known?.code ?? 'PROCESSING', `${where}: ${what}`, { cause, where: { ...place, ...known?.where } });
  }

  private abandonedSource(input: Input): MillraceError {
    return new MillraceError(
      'NO_SUBSCRIBERS',
      `nobody is subscribed to "${input.declaration.topic}" any more (take, first, or catchError without a source?); the partition stays at this record`,
    );
  }

  // ---- checkpoints and sealing

  private marks(): Checkpoint {
    return { inputs: this.inputs.map(({ buffer }) => buffer.mark()), outbox: this.options.outbox.mark(), records: this.records };
  }

  private takeCheckpoint(): void {
    const { stores, cells, scope } = this.options;
    stores.checkpoint();
    cells.checkpoint();
    scope.checkpoint();
    this.checkpoint = this.marks();
    this.pushesSinceCheckpoint = 0;
  }

  private checkpointCautiously(): void {
    this.cautious--;
    this.takeCheckpoint();
  }

  /** Takes all work up to this boundary; undefined when there is none, not even an offset that moved. */
  seal(): SealedTask | undefined {
    const moved = this.inputs.filter((input) => input.buffer.position !== input.committed);
    if (!this.dirty && moved.length === 0) return undefined;
    const { stores, cells, scope, outbox, changelogOf } = this.options;
    stores.seal((store, key, value, timestamp) => {
      outbox.appendRaw(changelogOf(store), this.partition, key, value, timestamp);
    });
    const metadata = cells.seal();
    const offsets = this.inputs
      .map((input, at) => ({ input, at }))
      .filter(({ input, at }) => at === 0 || moved.includes(input))
      .map(({ input, at }) => ({
        topic: input.declaration.topic,
        partition: this.partition,
        offset: input.buffer.position,
        metadata: at === 0 ? metadata : '',
      }));
    const counted = scope.seal();
    const { batches, watched, records: outputs } = outbox.drain();
    const { records } = this;
    this.records = 0;
    this.dirty = false;
    this.takeCheckpoint();
    return { task: this, batches, offsets, watched, records, outputs, counted };
  }

  /** The transaction that holds `sealed` is committed; `changelogs`: next offset by store. */
  committed(sealed: SealedTask, changelogs: ReadonlyMap<string, number>): void {
    const { stores, cells, scope } = this.options;
    stores.committed(changelogs);
    cells.commit();
    scope.committed();
    for (const { topic, offset } of sealed.offsets) {
      const input = this.inputs.find(({ declaration }) => declaration.topic === topic);
      if (input === undefined) continue;
      input.committed = offset;
      input.buffer.release(offset);
    }
  }

  // ---- assembling

  private assemble(): void {
    const assembly = new Assembly(this);
    this.assembly = assembly;
    this.failure = undefined;
    try {
      this.subscription = assembly.assemble(
        this.options.topology,
        (outgoing) => {
          this.emitted(outgoing);
        },
        (cause) => {
          this.errored(cause);
        },
      );
    } catch (cause) {
      this.halt(this.located(cause, undefined));
      return;
    }
    for (const input of this.inputs) input.source = assembly.sources.get(input.key);
  }

  private teardown(): void {
    this.generation++;
    this.parked = 0;
    this.subscription?.unsubscribe();
    this.subscription = undefined;
    this.assembly = undefined;
    this.failure = undefined;
    this.options.scope.reset();
  }

  private emitted(outgoing: Outgoing): void {
    this.checkInPush(outgoing.origin);
    try {
      this.options.outbox.add(outgoing);
    } catch (cause) {
      this.fail(cause);
    }
  }

  private errored(cause: unknown): void {
    this.fail(cause);
    if (this.pushing) return;
    const error = this.located(cause, undefined);
    this.rollback();
    this.halt(error);
  }

  store(definition: StoreDefinition<unknown>): unknown {
    return this.options.stores.handle(definition.name);
  }

  forward(topic: InternalTopic<unknown, unknown>, key: unknown, record: KafkaRecord<unknown, unknown, Placement>): void {
    this.checkInPush(record.origin);
    const { outbox, repartitionOf } = this.options;
    outbox.append(repartitionOf(topic.name), topic.key, topic.value, key, record.value, record.timestamp, record.headers);
  }

  reached(source: Source, whileAssembling: boolean): void {
    if (whileAssembling) return;
    const late = new MillraceError(
      'LATE_SUBSCRIPTION',
      `"${source.topic.name}" was subscribed after the topology had been assembled; what was pushed before is not seen by that subscriber`,
      { where: { topic: source.topic.name } },
    );
    if (this.options.strict) throw late;
    this.warnOnce(`late ${sourceKey(source.topic.name, source.internal)}`, late);
  }

  /** An output must belong to the record being pushed, or a crash between the two loses or doubles it. */
  private checkInPush(origin: unknown): void {
    if (this.pushing && (origin === this.options.scope.origin || origin === noOrigin)) return;
    const why = this.pushing
      ? 'belongs to an earlier record (bufferCount, zip?)'
      : 'comes outside a push (startWith, debounceTime off task.clock?)';
    const error = new MillraceError('OUTPUT_OUTSIDE_PUSH', `an output ${why}: a crash may lose or double it`);
    if (!this.options.strict) this.warnOnce(why, error);
    else if (this.pushing) this.fail(error);
    else this.halt(error);
  }

  private warnOnce(what: string, error: MillraceError): void {
    if (this.warned.has(what)) return;
    this.warned.add(what);
    this.options.logger.warn({ code: error.code, task: this.partition }, error.message);
  }

  private skipped(policy: string): void {
    this.options.scope.counter('skipped-records-total', policy).value++;
  }

  private newBuffer(input: TaskInput, position: number): InputBuffer {
    return new InputBuffer(input.declaration, position, () => {
      this.skipped('onDecodeError');
    });
  }
}
