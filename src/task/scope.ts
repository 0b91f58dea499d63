import type { Observable } from 'rxjs';
import type { MetricName, Metrics } from '../model/metrics';
import { noOrigin, type Origin } from '../model/origin';
import type { KafkaRecord, Placement } from '../model/record';
import type { InternalTopic } from '../model/topic';
import type { CellTable } from '../state/cells';
import { type EventTime, StreamTime } from '../state/event-time';
import type { Departure, EmissionUnderWay } from '../state/in-flight';
import type { Cell, Counter, Scope, Step } from '../state/scope';
import type { Assembly } from './assembly';
import type { TaskClock } from './task-clock';
import type { Watermarks } from './watermarks';

interface TaskCounter extends Counter {
  readonly name: MetricName;
  readonly operator: string;
  readonly reason: string | undefined;
  value: number;
  checkpointed: number;
}

/** What a sealed push layer counted: merged into the metrics when its transaction commits. */
export interface CountedMetrics {
  mergeInto(metrics: Metrics, partition: number): void;
}

/**
 * The scope of one task: which emission is under way, what is poisoned, cells, counters and the steps still to run.
 * Outlives assemblies; `reset` forgets what belonged to the last one.
 */
export class TaskScope implements Scope {
  origin: Origin = noOrigin;
  timestamp = 0;
  failed = false;
  /** Of the task that works in this scope. */
  clock: TaskClock | undefined;
  /** The present one of the task. */
  assembly: Assembly | undefined;
  /** Of the task, when a topic is in watermark mode. */
  watermarks: Watermarks | undefined;
  /** Latest driven last: it runs first. */
  readonly steps: Step[] = [];
  private held = 0;
  /** Poisoned since the last seal, and before it: a transaction under way may yet be undone and replayed. */
  private poisoned = new Set<string>();
  private sealedPoison = new Set<string>();
  private readonly counters = new Map<string, TaskCounter>();
  private readonly stores: string[] = [];
  private readonly kinds: string[] = [];
  private readonly times: number[] = [];
  private readonly keys: string[] = [];
  private depth = 0;
  /** The emission that this push goes on with. */
  private resumed: EmissionUnderWay | undefined;

  constructor(
    readonly partition: number,
    private readonly cells: CellTable,
    private readonly onPoisoned: () => void,
  ) {}

  cell<T extends number | string>(store: string, name: string, initial: T): Cell<T> {
    return this.cells.cell(store, name, initial);
  }

  eventTime(store: string, advanced: () => void, name = 'streamTime'): EventTime {
    const { watermarks } = this;
    const cell = this.cell(store, name, -1);
    if (watermarks === undefined) return new StreamTime(cell);
    return watermarks.clockOf(store, cell, advanced) ?? new StreamTime(cell, (least) => watermarks.holdBack(store, least));
  }

  counter(name: MetricName, operator: string, reason?: string): Counter {
    const id = `${name} ${operator} ${reason ?? ''}`;
    let counter = this.counters.get(id);
    if (counter === undefined) {
      counter = { name, operator, reason, value: 0, checkpointed: 0 };
      this.counters.set(id, counter);
    }
    return counter;
  }

  begin(store: string, kind: string, time: number, key: string): boolean {
    if (this.failed) return false;
    if (this.hasPoison && this.holdsPoison(emissionId(store, kind, time, key))) {
      this.onPoisoned();
      return false;
    }
    const at = this.depth++;
    this.stores[at] = store;
    this.kinds[at] = kind;
    this.times[at] = time;
    this.keys[at] = key;
    return true;
  }

  /** After a failure the stack is left as it stands: its top is the emission to blame. */
  end(): void {
    if (!this.failed) this.depth--;
  }

  repartition<K, V>(
    topic: InternalTopic<K, V>,
    store?: string,
  ): (source: Observable<KafkaRecord<K, V, Placement>>) => Observable<KafkaRecord<K, V>> {
    return this.assembly!.repartitionAlone(topic, store);
  }

  drive(step: Step): void {
    this.steps.push(step);
  }

  hold(): void {
    this.held++;
  }

  letGo(): void {
    this.held--;
  }

  get isHeld(): boolean {
    return this.held > 0;
  }

  get wallTime(): number {
    return this.clock?.now() ?? 0;
  }

  wakeAt(time: number, wake: () => void): void {
    this.clock?.wakeAt(time, wake);
  }

  isPoisoned(origin: Origin): boolean {
    return this.hasPoison && this.holdsPoison(recordId(origin));
  }

  /** False: it was poisoned already, so that leaving it out has not helped. */
  poison(emission: string): boolean {
    if (this.holdsPoison(emission)) return false;
    this.poisoned.add(emission);
    this.hasPoison = true;
    return true;
  }

  /** The innermost emission under way: what failed, if something did. */
  innermost(): EmissionUnderWay {
    const top = this.depth - 1;
    if (top < 0) return this.resumed ?? { id: recordId(this.origin), store: undefined };
    const store = this.stores[top] ?? '';
    return { id: emissionId(store, this.kinds[top] ?? '', this.times[top] ?? 0, this.keys[top] ?? ''), store };
  }

  /** A push of its own goes on with what an earlier one has begun, until `leave`. */
  resume({ origin, timestamp, emission }: Departure): void {
    this.origin = origin;
    this.timestamp = timestamp;
    this.resumed = emission;
  }

  /** After a failure it stays the one to blame. */
  leave(): void {
    if (!this.failed) this.resumed = undefined;
  }

  /** Forgets the emission stack and the steps of an assembly that is gone. */
  reset(): void {
    this.failed = false;
    this.depth = 0;
    this.resumed = undefined;
    this.steps.length = 0;
    this.held = 0;
    this.origin = noOrigin;
    this.clock?.sleep();
    this.watermarks?.forgetClocks();
  }

  private hasPoison = false;

  private holdsPoison(id: string): boolean {
    return this.poisoned.has(id) || this.sealedPoison.has(id);
  }

  /** Committed input is never replayed: the poison of what was sealed can be forgotten. */
  committed(): void {
    this.sealedPoison = new Set();
    this.hasPoison = this.poisoned.size > 0;
  }

  checkpoint(): void {
    for (const counter of this.counters.values()) counter.checkpointed = counter.value;
  }

  rollback(): void {
    for (const counter of this.counters.values()) counter.value = counter.checkpointed;
  }

  /** Takes what was counted since the last seal. */
  seal(): CountedMetrics {
    for (const id of this.poisoned) this.sealedPoison.add(id);
    this.poisoned = new Set();
    const counted: { counter: TaskCounter; amount: number }[] = [];
    for (const counter of this.counters.values()) {
      if (counter.value !== 0) counted.push({ counter, amount: counter.value });
      counter.value = 0;
      counter.checkpointed = 0;
    }
    return {
      mergeInto: (metrics, partition) => {
        for (const { counter, amount } of counted) metrics.add(counter.name, amount, tagsOf(counter, partition));
      },
    };
  }

  abort(): void {
    for (const counter of this.counters.values()) counter.value = counter.checkpointed = 0;
  }
}

function tagsOf(counter: TaskCounter, partition: number): Record<string, string> {
  const tags: Record<string, string> = { task: String(partition), operator: counter.operator };
  if (counter.reason !== undefined) tags['reason'] = counter.reason;
  return tags;
}

function recordId(origin: Origin): string {
  return `record ${origin.topic} ${String(origin.partition)} ${String(origin.offset)}`;
}

function emissionId(store: string, kind: string, time: number, key: string): string {
  return `${kind} ${store} ${String(time)} ${key}`;
}
