import type { MetricName } from '../model/metrics';
import { noOrigin } from '../model/origin';
import { type EventTime, StreamTime } from '../state/event-time';
import type { Cell, Counter, Scope, Step } from '../state/scope';

/** The scope of a store that belongs to no task: steps run at once and to their end, nothing is poisoned, nothing is undone. */
export class MemoryScope implements Scope {
  readonly partition = 0;
  readonly origin = noOrigin;
  readonly failed = false;
  private readonly cells = new Map<string, Cell<number | string>>();
  private readonly counters = new Map<string, Counter & { readonly name: MetricName }>();

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

  drive(step: Step): void {
    for (;;) {
      const done = step();
      if (done === true) return;
      if (done !== false) throw new Error('a step waits, but everything in memory can be read at once');
    }
  }
}
