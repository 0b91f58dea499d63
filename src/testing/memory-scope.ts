import { map, type Observable, of, type Subscription, timer, timestamp } from 'rxjs';
import type { MetricName } from '../model/metrics';
import { noOrigin } from '../model/origin';
import type { KafkaRecord, Placement } from '../model/record';
import { type EventTime, StreamTime } from '../state/event-time';
import type { Cell, Counter, Scope, Step } from '../state/scope';

/** Of the handles that are made for tests. */
export const scopes = new WeakMap<object, MemoryScope>();

/**
 * The scope of a store that belongs to no task: steps run at once and to their end, or, behind a promise, once it has settled; nothing is
 * poisoned, nothing is undone. The wall clock is that of RxJS, so that a TestScheduler drives it.
 */
export class MemoryScope implements Scope {
  readonly partition = 0;
  readonly origin = noOrigin;
  timestamp = 0;
  readonly failed = false;
  private readonly cells = new Map<string, Cell<number | string>>();
  private readonly counters = new Map<string, Counter & { readonly name: MetricName }>();
  private readonly wakes = new Map<() => void, Subscription>();

  cell<T extends number | string>(store: string, name: string, initial: T): Cell<T> {
    const id = `${store} ${name}`;
    let cell = this.cells.get(id);
    if (cell === undefined) this.cells.set(id, (cell = { value: initial }));
    return cell as Cell<T>;
  }

  eventTime(store: string, _advanced: () => void, name = 'streamTime'): EventTime {
    return new StreamTime(this.cell(store, name, -1));
  }

  counter(name: MetricName, operator: string, reason = ''): Counter {
    const id = `${name} ${operator} ${reason}`;
    let counter = this.counters.get(id);
    if (counter === undefined) this.counters.set(id, (counter = { name, value: 0 }));
    return counter;
  }

  /** The sum over operators and reasons. */
  total(name: MetricName): number {
    let sum = 0;
    for (const counter of this.counters.values()) if (counter.name === name) sum += counter.value;
    return sum;
  }

  begin(): boolean {
    return true;
  }

  end(): void {
    // nothing to close
  }

  /** With one partition a record is where its key belongs. */
  repartition<K, V>(): (source: Observable<KafkaRecord<K, V, Placement>>) => Observable<KafkaRecord<K, V>> {
    return (source) => source.pipe(map((record) => record.assumePlaced()));
  }

  drive(step: Step): void {
    for (;;) {
      const done = step();
      if (done === true) return;
      if (done === false) continue;
      void done.then(() => {
        this.drive(step);
      });
      return;
    }
  }

  hold(): void {
    // nothing is committed
  }

  letGo(): void {
    // nor waited for
  }

  get wallTime(): number {
    let now = 0;
    of(undefined)
      .pipe(timestamp())
      .subscribe((stamped) => {
        now = stamped.timestamp;
      });
    return now;
  }

  wakeAt(time: number, wake: () => void): void {
    this.wakes.get(wake)?.unsubscribe();
    this.wakes.delete(wake);
    if (time === Infinity) return;
    const waiting = timer(Math.max(0, time - this.wallTime)).subscribe(() => {
      this.wakes.delete(wake);
      wake();
    });
    this.wakes.set(wake, waiting);
  }
}
