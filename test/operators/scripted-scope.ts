/** A store handle whose scope does what the test says: steps wait to be run, emissions can be poisoned, cells survive. */
import type { MetricName } from '../../src/model/metrics';
import { noOrigin, type Origin } from '../../src/model/origin';
import type { StoreDefinition, StoreShape } from '../../src/model/store-definition';
import { runtime, type Stamped, type WindowCursor, type WindowRuntime } from '../../src/state/handle';
import { type EventTime, StreamTime } from '../../src/state/event-time';
import type { Cell, Counter, Scope, Step } from '../../src/state/scope';
import { memoryStore } from '../../src/testing';

export class ScriptedScope implements Scope {
  readonly partition = 3;
  origin: Origin = noOrigin;
  timestamp = 0;
  wallTime = 0;
  held = 0;
  failed = false;
  readonly poisoned = new Set<string>();
  /** Emissions that were opened, and 'end' for each that was closed. */
  readonly emissions: string[] = [];
  readonly counters = new Map<string, Counter>();
  readonly cells: Map<string, Cell<number | string>>;
  private readonly steps: Step[] = [];

  constructor(cells: ReadonlyMap<string, Cell<number | string>> = new Map()) {
    this.cells = new Map([...cells].map(([id, { value }]) => [id, { value }]));
  }

  cell<T extends number | string>(store: string, name: string, initial: T): Cell<T> {
    const id = `${store} ${name}`;
    if (!this.cells.has(id)) this.cells.set(id, { value: initial });
    return this.cells.get(id) as Cell<T>;
  }

  eventTime(store: string, _advanced: () => void, name = 'streamTime'): EventTime {
    return new StreamTime(this.cell(store, name, -1));
  }

  counter(name: MetricName, operator: string, reason = ''): Counter {
    const id = `${name} ${operator} ${reason}`;
    if (!this.counters.has(id)) this.counters.set(id, { value: 0 });
    return this.counters.get(id)!;
  }

  begin(store: string, kind: string, time: number, key: string): boolean {
    const identity = `${kind} ${store} ${time} ${key}`;
    if (this.failed || this.poisoned.has(identity)) return false;
    this.emissions.push(identity);
    return true;
  }

  end(): void {
    this.emissions.push('end');
  }

  repartition(): never {
    throw new Error('nobody here goes through an internal topic');
  }

  drive(step: Step): void {
    this.steps.push(step);
  }

  wakeAt(): void {
    throw new Error('nobody here goes by the wall clock');
  }

  hold(): void {
    this.held += 1;
  }

  letGo(): void {
    this.held -= 1;
  }

  get waiting(): number {
    return this.steps.length;
  }

  /** Calls the step driven last once; drops it when it is done. */
  runStep(): boolean | Promise<void> {
    const step = this.steps.at(-1);
    if (step === undefined) throw new Error('nothing was driven');
    const done = step();
    if (done === true) this.steps.pop();
    return done;
  }

  runSteps(): void {
    while (this.steps.length > 0) {
      if (this.runStep() instanceof Promise) throw new Error('a step waits');
    }
  }
}

/** Rows that outlive scopes, as a store outlives assemblies. */
export class ScriptedStore<S extends object> {
  private readonly behind: WindowRuntime<unknown, unknown>;

  constructor(private readonly definition: StoreDefinition<S>) {
    this.behind = runtimeOfMemory(memoryStore(definition));
  }

  /** The handle as a task with this scope would give it. */
  under(scope: Scope, wait: () => Promise<void> | undefined = () => undefined): S {
    return { [runtime]: new Scoped(this.behind, scope, wait) } as unknown as S;
  }

  /** Starts of the windows that have rows. */
  get starts(): number[] {
    const starts: number[] = [];
    for (let start = this.behind.nextStart(0); start !== Infinity; start = this.behind.nextStart(start + 1)) starts.push(start);
    return starts;
  }

  get name(): string {
    return this.definition.name;
  }
}

function runtimeOfMemory(store: object): WindowRuntime<unknown, unknown> {
  return (store as { readonly [runtime]: WindowRuntime<unknown, unknown> })[runtime];
}

class Scoped implements WindowRuntime<unknown, unknown> {
  readonly shape: StoreShape;
  private held = false;

  constructor(
    private readonly behind: WindowRuntime<unknown, unknown>,
    readonly scope: Scope,
    private readonly wait: () => Promise<void> | undefined,
  ) {
    this.shape = behind.shape;
  }

  claim(): () => void {
    if (this.held) throw new Error('claimed twice');
    this.held = true;
    return () => (this.held = false);
  }

  get invisibleUpTo(): number {
    return this.behind.invisibleUpTo;
  }

  find(key: unknown, start: number): Stamped<unknown> | undefined {
    return this.behind.find(key, start);
  }

  read(key: unknown, start: number): Stamped<unknown> | undefined {
    return this.behind.read(key, start);
  }

  isRemovable(start: number): boolean {
    return this.behind.isRemovable(start);
  }

  write(key: unknown, start: number, value: unknown, timestamp: number): void {
    this.behind.write(key, start, value, timestamp);
  }

  remove(key: unknown, start: number, timestamp: number): void {
    this.behind.remove(key, start, timestamp);
  }

  nextStart(from: number): number {
    return this.behind.nextStart(from);
  }

  open(start: number, after?: string): WindowCursor<unknown, unknown> {
    return this.waiting(this.behind.open(start, after));
  }

  openUnordered(start: number): WindowCursor<unknown, unknown> {
    return this.waiting(this.behind.openUnordered(start));
  }

  private waiting(cursor: WindowCursor<unknown, unknown>): WindowCursor<unknown, unknown> {
    const { wait } = this;
    return {
      next: () => wait() ?? cursor.next(),
      get key() {
        return cursor.key;
      },
      get identity() {
        return cursor.identity;
      },
      get entry() {
        return cursor.entry;
      },
      close: () => cursor.close(),
    };
  }
}
