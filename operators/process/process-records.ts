import { inspect } from 'node:util';
import type { Subscriber } from 'rxjs';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import type { StoreRuntime } from '../../src/state/handle';
import type { Scope, Step } from '../../src/state/scope';
import { processingError, type Receiver } from '../operator';
import { type DueTimer, DueTimers } from './due-timers';
import { Call, guardedStores } from './guarded-stores';
import type { FiredTimer, Processor, TimerOf } from './options';

/** Timers that one step fires: their functions are the user's, and a slice has 10 ms. */
const TIMERS_PER_STEP = 32;

type Results<R> = Iterable<R> | Promise<Iterable<R>>;

/** A call whose promise is out. Settled: with `results`, or what it was rejected with. */
interface Waiting<R> {
  readonly until: Promise<void>;
  settled: boolean;
  results: Iterable<R> | undefined;
  failure: { readonly cause: unknown } | undefined;
  /** It is that of a timer, whose emission ends with it. */
  readonly isEmission: boolean;
}

/**
 * One call at a time, in order: while a promise is out, the task is parked, and records that the same push still brings wait. Waiting
 * holds the boundary: what is neither in a store nor in the outbox must not fall between two commits.
 */
export class ProcessRecords<K, V, S extends Readonly<Record<string, unknown>>, R> implements Receiver<KafkaRecord<K, V>> {
  private readonly scope: Scope;
  private readonly call = new Call();
  private readonly stores: S;
  private readonly timers: DueTimers;
  private waiting: Waiting<R> | undefined;
  private readonly queue: KafkaRecord<K, V>[] = [];
  private driven = false;
  private completed = false;

  constructor(
    private readonly operator: string,
    stores: S,
    runtimes: ReadonlyMap<string, StoreRuntime>,
    private readonly processor: Processor<K, V, S, R>,
    private readonly destination: Subscriber<R>,
  ) {
    const [any] = runtimes.values();
    this.scope = any!.scope;
    this.stores = guardedStores(stores, runtimes, this.call);
    const drive = (): void => {
      this.timers.release();
      this.driveWhatIsLeft();
    };
    this.timers = new DueTimers(runtimes, drive, () => {
      this.timers.woken(this.scope.wallTime);
      drive();
    });
    drive();
  }

  receive(record: KafkaRecord<K, V>): void {
    if (this.call.isUnderWay) {
      // Its turn comes after the call: a promise is out, or an output has come back as an input.
      this.queue.push(record);
      return;
    }
    this.process(record);
    while (this.queue.length > 0 && this.waiting === undefined && !this.isStopped) this.process(this.queue.shift()!);
    this.driveWhatIsLeft();
  }

  complete(): boolean {
    this.completed = true;
    return this.waiting === undefined;
  }

  release(): void {
    this.call.end();
    this.queue.length = 0;
    this.timers.release();
  }

  private process(record: KafkaRecord<K, V>): void {
    const { timers, processor } = this;
    timers.release();
    timers.observe(record.timestamp);
    this.call.begin(record.timestamp, -Infinity);
    this.emit(processor.record(record, this.stores), 'record');
  }

  private fire({ store, timers, timer }: DueTimer): void {
    const { key, identity, time } = timer;
    const { scope, shape } = timers;
    const timestamp = shape.clock === 'event' ? time : this.timers.seen;
    // Before anybody may throw: a timer that is skipped is gone as one that has fired.
    timers.fired(timer, timestamp);
    if (!scope.begin(shape.name, 'timer', time, identity)) return;
    this.call.begin(timestamp, time);
    this.emit(this.processor.timer!(firedTimer(store, key, time) as TimerOf<S>, this.stores), 'timer');
    if (this.waiting === undefined) scope.end();
  }

  private emit(results: Results<R>, from: 'record' | 'timer'): void {
    if (isPromise(results)) this.wait(results, from);
    else this.emitAll(results, from);
  }

  private emitAll(results: Iterable<R>, from: string): void {
    const { destination, scope } = this;
    if (typeof (results as Partial<Iterable<R>> | undefined)?.[Symbol.iterator] !== 'function') {
      throw new TypeError(`${from} gave ${inspect(results)}; it must give an iterable of what to emit: [] for nothing`);
    }
    for (const result of results) {
      if (destination.closed || scope.failed) break;
      destination.next(result);
    }
    this.call.end();
  }

  private wait(results: Promise<Iterable<R>>, from: 'record' | 'timer'): void {
    this.scope.hold();
    const waiting: Waiting<R> = {
      until: results.then(
        (settled) => {
          waiting.settled = true;
          waiting.results = settled;
        },
        (cause: unknown) => {
          waiting.settled = true;
          waiting.failure = { cause };
        },
      ),
      settled: false,
      results: undefined,
      failure: undefined,
      isEmission: from === 'timer',
    };
    this.waiting = waiting;
  }

  private driveWhatIsLeft(): void {
    if (this.driven) return;
    if (this.waiting === undefined && !this.timers.isDue) {
      this.timers.sleep();
      return;
    }
    this.driven = true;
    this.scope.drive(this.step);
  }

  private readonly step: Step = () => {
    try {
      for (let fired = 0; !this.isStopped;) {
        const { waiting } = this;
        if (waiting !== undefined) {
          if (!waiting.settled) return waiting.until;
          this.settle(waiting);
        } else if (this.queue.length > 0) {
          this.process(this.queue.shift()!);
        } else if (fired < TIMERS_PER_STEP) {
          const due = this.timers.next();
          if (due === undefined) break;
          this.fire(due);
          fired++;
        } else return false;
      }
      if (this.completed && !this.isStopped) this.destination.complete();
    } catch (error) {
      this.destination.error(processingError(error, this.operator));
    }
    this.driven = false;
    this.timers.sleep();
    return true;
  };

  private settle(waiting: Waiting<R>): void {
    if (waiting.failure !== undefined) throw waiting.failure.cause;
    this.waiting = undefined;
    this.emitAll(waiting.results!, waiting.isEmission ? 'timer' : 'record');
    if (waiting.isEmission) this.scope.end();
    this.scope.letGo();
  }

  private get isStopped(): boolean {
    return this.scope.failed || this.destination.closed;
  }
}

function firedTimer(store: string, key: unknown, time: number): FiredTimer<unknown> {
  return { store, key, time, record: (value) => KafkaRecord.of(key, value, time, noOrigin) };
}

function isPromise<R>(results: Results<R>): results is Promise<Iterable<R>> {
  return typeof (results as Partial<Promise<Iterable<R>>> | undefined)?.then === 'function';
}
