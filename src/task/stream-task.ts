import type { Subscription } from 'rxjs';
import type { ErrorCode } from '../errors/codes';
import { MillraceError } from '../errors/millrace-error';
import type { OffsetToCommit } from '../kafka/port';
import type { Duration } from '../model/duration';
import type { Logger } from '../model/logger';
import { noOrigin, type Origin } from '../model/origin';
import type { Outgoing } from '../model/outgoing';
import type { Policy } from '../model/policy';
import type { KafkaRecord, Placement } from '../model/record';
import type { StoreDefinition } from '../model/store-definition';
import type { InternalTopic, Topic } from '../model/topic';
import type { CellTable } from '../state/cells';
import type { FindRow } from '../../operators/table/global-table';
import type { GlobalRows } from '../state/global-rows';
import type { TaskStores } from '../state/task-stores';
import type { Clock } from '../time/clock';
import { Assembly, type AssemblyHost, type Source } from './assembly';
import { errorAt } from './error-at';
import { verdictOf, type InputBuffer, type InputMark } from './input-buffer';
import { Misuse } from './misuse';
import type { Outbox, OutboxMark, SealedBatch } from './outbox';
import type { CountedMetrics, TaskScope } from './scope';
import { TaskClock } from './task-clock';
import { TaskFlights } from './task-flights';
import { withoutMarker } from './watermark-marker';
import type { Watermarks } from './watermarks';
import { InputWaiting } from './input-waiting';
import { TaskInputs, type OpenInput, type TaskInput } from './task-inputs';
import type { TaskTopology } from './topology';

/** Failures that are nobody's record: skipping one would not help. */
const notForPolicies: ReadonlySet<ErrorCode> = new Set(['NO_SUBSCRIBERS', 'LATE_SUBSCRIPTION', 'STATE_IO', 'STATE_CORRUPTED']);

/** The origin of what follows from a watermark that no record has moved. */
const noRecord: Origin = { ...noOrigin };

/** Pushes during which every push is checkpointed after something threw, so that one more failure costs one record's replay. */
const CAUTIOUS_PUSHES = 1_000;

/** Records with calls in flight that are then undone together: between two checkpoints all of them have to land. */
const CAUTIOUS_FLIGHTS = 16;

/** Steps that one call of `settle` goes on with. */
const STEPS_TO_SETTLE = 256;

export interface StreamTaskOptions {
  readonly partition: number;
  readonly topology: TaskTopology;
  /** In order of topic name. */
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
  /** ms; see `maxTaskIdle` of the configuration. */
  readonly maxTaskIdle: Duration;
  /** Undefined: no topic is in watermark mode. */
  readonly watermarks: Watermarks | undefined;
  /** The rows of a global table. */
  readonly globalRows: (topic: string) => Pick<GlobalRows, 'find'>;
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
  readonly flights: TaskFlights;
  /** Set when the task cannot go on: everything before the failing record can still be sealed. */
  halted: MillraceError | undefined;
  private readonly inputs: TaskInputs;
  private assembly: Assembly | undefined;
  private subscription: Subscription | undefined;
  private pushing = false;
  private parked = 0;
  private generation = 0;
  private failure: { readonly cause: unknown } | undefined;
  private checkpoint: Checkpoint;
  private pushesSinceCheckpoint = 0;
  private cautious = 0;
  /** Pushes that have to fail one by one, so that what comes before the failing one can be committed. */
  private oneByOne = 0;
  private sealingNext = false;
  private records = 0;
  private everPushed = 0;
  private dirty = false;
  private readonly misuse: Misuse;

  constructor(private readonly options: StreamTaskOptions) {
    this.partition = options.partition;
    this.clock = new TaskClock(options.clock, options.wake);
    options.scope.clock = this.clock;
    this.flights = new TaskFlights(options.scope, options.clock, options.wake);
    this.misuse = new Misuse(options, (error) => {
      if (this.pushing) this.fail(error);
      else this.halt(error);
    });
    const { watermarks } = options;
    this.inputs = new TaskInputs(
      options.inputs,
      () => {
        this.skipped('onDecodeError');
      },
      new InputWaiting(options.maxTaskIdle, options.clock),
      watermarks,
    );
    watermarks?.tellBy((topic, timestamp, headers) => {
      options.outbox.appendToAll(options.repartitionOf(topic), timestamp, headers);
    });
    this.checkpoint = this.marks();
  }

  /** Begins, or begins anew, at committed positions and cells; state is restored already. */
  start(positions: ReadonlyMap<string, number>, cells: string): void {
    const { options } = this;
    this.teardown();
    options.scope.abort();
    options.cells.restore(cells);
    options.watermarks?.begin();
    options.outbox.clear();
    this.inputs.start(positions);
    this.halted = undefined;
    this.records = 0;
    this.dirty = false;
    this.sealingNext = false;
    this.assemble();
    this.takeCheckpoint();
  }

  stop(): void {
    this.teardown();
    this.halted ??= new MillraceError('APPLICATION_CLOSED', `task ${String(this.partition)} is stopped`);
  }

  buffer(topic: string): InputBuffer | undefined {
    return this.inputs.buffer(topic);
  }

  /** Something can be pushed now. */
  get runnable(): boolean {
    if (this.halted !== undefined || this.parked > 0) return false;
    return this.hasLeftovers || this.clock.isDue || (this.admits && this.inputs.hasNext);
  }

  /** Before its next record there is something to do. */
  get hasLeftovers(): boolean {
    return this.hasBegun || this.mayMoveEventTime;
  }

  /** What records have begun can go on. */
  private get hasBegun(): boolean {
    return this.options.scope.steps.length > 0 || this.flights.hasArrivals;
  }

  /** Not before a record that is still out has been emitted: it would come too late. */
  private get mayMoveEventTime(): boolean {
    return this.flights.count === 0 && this.options.watermarks?.unsettled === true;
  }

  /** Whether its next record may be pushed while calls of others are out. */
  private get admits(): boolean {
    if (this.sealingNext) return false;
    const { count, isFull } = this.flights;
    if (count === 0) return true;
    return !isFull && (this.cautious === 0 || this.pushesSinceCheckpoint < (this.oneByOne > 0 ? 1 : CAUTIOUS_FLIGHTS));
  }

  /** Whether all is done that is left to do, as of now, of the records it has pushed: a later record is pushed when it is. */
  untilThrough(): () => boolean {
    const pushed = this.everPushed;
    return () =>
      this.halted !== undefined || this.everPushed > pushed || (!this.hasLeftovers && this.parked === 0 && this.flights.count === 0);
  }

  /** There is something to be said to the tasks behind it. */
  get hasNews(): boolean {
    return this.halted === undefined && this.options.watermarks?.hasNews === true;
  }

  /** Monotonic: when an input that waits for another waits no longer; Infinity: none does. */
  get waitsUntil(): number {
    return this.parked > 0 ? Infinity : this.inputs.waitsUntil;
  }

  /** An input of it has nothing to read now, although the broker has more, or may have. */
  get isStarving(): boolean {
    return this.halted === undefined && this.inputs.isStarving;
  }

  /** At a record boundary, with nothing in flight: may be sealed. */
  get atBoundary(): boolean {
    return !this.pushing && this.parked === 0 && !this.options.scope.isHeld;
  }

  /** A commit is due: it takes no further record until it is sealed. False: calls in flight are not what keeps it from that. */
  admitNoMore(): boolean {
    if (this.flights.count > 0) this.sealingNext = true;
    return this.sealingNext;
  }

  /** Goes on, outside the loop, with what records have begun, as far as that is possible now; takes no further one. */
  settle(): void {
    for (let left = STEPS_TO_SETTLE; left > 0 && this.parked === 0 && this.halted === undefined && !this.atBoundary; left--) {
      if (!this.hasBegun) return;
      this.pushNext();
    }
  }

  /** Timestamp of the record that would be pushed next, Infinity when there is none, -Infinity while a record has left something to do. */
  get nextTimestamp(): number {
    if (this.hasLeftovers) return -Infinity;
    return this.admits ? this.inputs.oldestTimestamp : Infinity;
  }

  /** Pushes one record, or one step of what a record left to do; false when there is nothing to push. */
  pushNext(): boolean {
    if (this.halted !== undefined || this.parked > 0) return false;
    // What is held cannot be taken up again from a checkpoint: it belongs to the push that began it.
    if (this.cautious > 0 && !this.options.scope.isHeld) this.checkpointCautiously();
    const { scope, watermarks } = this.options;
    if (scope.steps.length > 0) return this.runStep();
    if (this.flights.hasArrivals) return this.landNext();
    if (watermarks?.unsettled === true && this.flights.count === 0) return this.moveEventTime(watermarks);
    if (this.clock.isDue) return this.runTimers();
    if (!this.admits) return false;
    const input = this.inputs.next();
    if (input === undefined) return false;
    const record = input.buffer.head;
    if (record === undefined) {
      this.halt(input.buffer.failure as MillraceError);
      return false;
    }
    this.pushRecord(input, record);
    return true;
  }

  private pushRecord(input: OpenInput, record: KafkaRecord<unknown, unknown>): void {
    const { scope } = this.options;
    const misplaced = input.placement?.check(record);
    if (misplaced !== undefined) {
      this.halt(misplaced);
      return;
    }
    scope.origin = record.origin;
    scope.timestamp = record.timestamp;
    this.dirty = true;
    if (scope.isPoisoned(record.origin)) {
      this.skipped('onProcessingError');
    } else if (!this.pushInto(input, record)) {
      this.failure ??= { cause: this.misuse.abandoned(input.declaration.topic, input.source?.subscriptions ?? 0) };
      this.undo();
      return;
    }
    this.records++;
    this.everPushed++;
    input.buffer.advance();
  }

  /** False: something threw, or nobody is subscribed, before or after. */
  private pushInto({ source, watermark }: OpenInput, record: KafkaRecord<unknown, unknown>): boolean {
    this.pushesSinceCheckpoint++;
    if (source === undefined || isLeft(source)) return false;
    // Before the push: an operator that goes by the watermark has seen the record it is given, as one that goes by stream time has.
    if (watermark?.observe(record.timestamp) === true && !this.eventTimeMoved()) return false;
    this.pushing = true;
    source.subject.next(record);
    this.pushing = false;
    return this.failure === undefined && !isLeft(source);
  }

  private runStep(): boolean {
    const { scope } = this.options;
    const step = scope.steps[scope.steps.length - 1];
    if (step === undefined) return false;
    this.dirty = true;
    if (!scope.isHeld) this.pushesSinceCheckpoint++;
    this.options.watermarks?.stepsRan();
    const result = this.inPush(step);
    if (this.failure !== undefined) this.undo();
    else if (result === true) scope.steps.splice(scope.steps.lastIndexOf(step), 1);
    else if (result instanceof Promise) this.park(result);
    return true;
  }

  /** False: something threw. */
  private eventTimeMoved(): boolean {
    if (this.flights.count === 0) return this.advanceEventTime();
    this.options.watermarks?.advanceLater();
    return true;
  }

  /** What has come back from outside, in the name of the emission that it left. */
  private landNext(): boolean {
    this.dirty = true;
    this.inPush(() => {
      this.flights.landNext();
    });
    if (this.failure !== undefined) this.undo();
    return true;
  }

  /** Event time has moved by what an input says, or may move on now that what was due is through. */
  private moveEventTime(watermarks: Watermarks): boolean {
    if (watermarks.movedByInput) this.options.scope.origin = noRecord;
    this.dirty = true;
    this.pushesSinceCheckpoint++;
    if (!this.advanceEventTime()) this.undo();
    return true;
  }

  /** False: something threw. */
  private advanceEventTime(): boolean {
    this.pushing = true;
    try {
      this.options.watermarks?.advance();
    } catch (cause) {
      this.fail(cause);
    }
    this.pushing = false;
    return this.failure === undefined;
  }

  private runTimers(): boolean {
    this.options.scope.origin = noOrigin;
    this.inPush(() => {
      this.clock.runDue();
    });
    if (!this.options.scope.isHeld) this.pushesSinceCheckpoint++;
    this.dirty = true;
    if (this.failure !== undefined) this.undo();
    return true;
  }

  private inPush<T>(work: () => T): T | undefined {
    this.pushing = true;
    try {
      const result = work();
      this.throwIfLeft();
      return result;
    } catch (cause) {
      this.fail(cause);
      return undefined;
    } finally {
      this.pushing = false;
    }
  }

  /** What a record leaves to do, or a timer, may leave any source. */
  private throwIfLeft(): void {
    for (const source of this.assembly?.sources.values() ?? []) {
      if (isLeft(source)) throw this.misuse.abandoned(source.topic.name, source.subscriptions);
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
    const error = errorAt(scope.origin, this.partition, this.failure?.cause, failed.store);
    const verdict = notForPolicies.has(error.code) ? 'fail' : verdictOf(this.options.onProcessingError, error);
    const exact = this.pushesSinceCheckpoint <= 1;
    this.failure = undefined;
    // A timer of RxJS has no identity to be poisoned by: its assembly is gone, and it with it.
    const skips = verdict === 'skip' && (scope.poison(failed.id) || scope.origin === noOrigin);
    this.cautious = CAUTIOUS_PUSHES;
    if (!skips) this.oneByOne = this.pushesSinceCheckpoint;
    this.rollback();
    if (!skips && exact) this.halt(error);
  }

  private rollback(): void {
    const { options, checkpoint } = this;
    this.teardown();
    options.stores.rollback();
    options.cells.rollback();
    options.scope.rollback();
    options.watermarks?.rollback();
    options.outbox.truncate(checkpoint.outbox);
    this.inputs.rewind(checkpoint.inputs);
    this.records = checkpoint.records;
    this.pushesSinceCheckpoint = 0;
    this.assemble();
  }

  private halt(error: MillraceError): void {
    this.halted = error;
    this.options.wake();
  }

  // ---- checkpoints and sealing

  private marks(): Checkpoint {
    return { inputs: this.inputs.marks(), outbox: this.options.outbox.mark(), records: this.records };
  }

  private takeCheckpoint(): void {
    if (this.pushesSinceCheckpoint > 0) {
      if (this.cautious > 0) this.cautious--;
      if (this.oneByOne > 0) this.oneByOne--;
    }
    const { stores, cells, scope, watermarks } = this.options;
    stores.checkpoint();
    cells.checkpoint();
    watermarks?.checkpoint();
    scope.checkpoint();
    this.checkpoint = this.marks();
    this.pushesSinceCheckpoint = 0;
  }

  /** Not before the first push behind a checkpoint, which may have to wait for a seal: it would be counted as one that has succeeded. */
  private checkpointCautiously(): void {
    if (this.pushesSinceCheckpoint > 0) this.takeCheckpoint();
  }

  /** Takes all work up to this boundary; undefined when there is none, not even an offset that moved. */
  seal(): SealedTask | undefined {
    this.sealingNext = false;
    const hasSaid = this.sealWatermarks();
    if (!this.dirty && !hasSaid && !this.inputs.hasMoved) return undefined;
    const { stores, cells, scope, outbox, changelogOf } = this.options;
    let changelog: { readonly store: string; readonly batches: ReturnType<Outbox['batches']> } | undefined;
    stores.seal((store, key, value, timestamp) => {
      if (changelog?.store !== store) changelog = { store, batches: outbox.batches(changelogOf(store), this.partition) };
      changelog.batches.append(timestamp, key, value);
    });
    const offsets = this.inputs.offsets(cells.seal());
    const counted = scope.seal();
    const { batches, watched, records: outputs } = outbox.drain();
    const { records } = this;
    this.records = 0;
    this.dirty = false;
    this.takeCheckpoint();
    return { task: this, batches, offsets, watched, records, outputs, counted };
  }

  /** True: there is something to be said to the tasks behind this one. */
  private sealWatermarks(): boolean {
    const { watermarks, wake } = this.options;
    if (watermarks === undefined) return false;
    const hasSaid = watermarks.seal(this.records === 0);
    if (watermarks.unsettled) wake();
    return hasSaid;
  }

  /** The transaction that holds `sealed` is committed; `changelogs`: next offset by store. */
  committed(sealed: SealedTask, changelogs: ReadonlyMap<string, number>): void {
    const { stores, cells, scope } = this.options;
    stores.committed(new Map([...changelogs, ...stores.positionsIn(sealed.offsets)]));
    cells.commit();
    scope.committed();
    this.inputs.committed(sealed.offsets);
  }

  // ---- assembling

  private assemble(): void {
    const assembly = new Assembly(this);
    this.assembly = assembly;
    this.options.scope.assembly = assembly;
    this.failure = undefined;
    try {
      this.subscription = assembly.assemble(
        (task) => this.options.topology(task, this.partition),
        (outgoing) => {
          this.emitted(outgoing);
        },
        (cause) => {
          this.errored(cause);
        },
      );
    } catch (cause) {
      this.fail(cause);
    }
    this.inputs.connect(assembly);
    this.haltIfFailed();
  }

  /** While assembling there is no push to undo. */
  private haltIfFailed(): void {
    if (this.failure !== undefined) this.halt(errorAt(this.options.scope.origin, this.partition, this.failure.cause));
  }

  private teardown(): void {
    this.generation++;
    this.parked = 0;
    this.subscription?.unsubscribe();
    this.subscription = undefined;
    this.assembly = undefined;
    this.failure = undefined;
    this.options.scope.reset();
    this.flights.reset();
  }

  private emitted(outgoing: Outgoing): void {
    if (!this.misuse.allowsOutput(this.pushing, outgoing.origin, this.options.scope.origin)) return;
    try {
      this.options.outbox.add(outgoing);
      if (!this.pushing) this.changedOutsidePush();
    } catch (cause) {
      this.errored(cause);
    }
  }

  /** What came outside a push is committed without waiting for the next one. */
  private changedOutsidePush(): void {
    this.dirty = true;
    this.options.wake();
  }

  /** In a push, and while assembling, whoever has begun it looks at the failure; outside there is no record to blame. */
  private errored(cause: unknown): void {
    this.fail(cause);
    if (this.pushing || this.subscription === undefined) return;
    const error = errorAt(this.options.scope.origin, this.partition, cause);
    this.rollback();
    this.halt(error);
  }

  get scope(): TaskScope {
    return this.options.scope;
  }

  globalRows({ name }: Topic<unknown, unknown>): FindRow {
    const rows = this.options.globalRows(name);
    return (key) => rows.find(key);
  }

  store(definition: StoreDefinition<unknown>): unknown {
    return this.options.stores.handle(definition.name);
  }

  forward(topic: InternalTopic<unknown, unknown>, key: unknown, record: KafkaRecord<unknown, unknown, Placement>): void {
    if (!this.misuse.allowsOutput(this.pushing, record.origin, this.options.scope.origin)) return;
    const { outbox, repartitionOf } = this.options;
    const isEmpty = record.value === null && (key === null || key === undefined);
    outbox.append(repartitionOf(topic.name), topic, key, record, isEmpty ? withoutMarker(record.headers) : record.headers);
    if (!this.pushing) this.changedOutsidePush();
  }

  reached(source: Source, whileAssembling: boolean): void {
    if (!whileAssembling) this.misuse.subscribedLate(source);
  }

  private skipped(policy: string): void {
    this.options.scope.counter('skipped-records-total', policy).value++;
  }
}

/** A push may end a subscription, or end one and begin another: asked before and after. */
function isLeft({ subscriptions, assembled }: Source): boolean {
  return subscriptions < assembled;
}
