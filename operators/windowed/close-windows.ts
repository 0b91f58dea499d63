import type { Subscriber } from 'rxjs';
import { KafkaRecord } from '../../src/model/record';
import type { Windowed } from '../../src/model/window';
import type { WindowCursor } from '../../src/state/handle';
import type { Cell } from '../../src/state/scope';
import { type WalkedWindows, WindowWalk } from './window-walk';
import { WindowedKey } from './windowed-key';

/**
 * Emits the entries of windows that have closed, each as an emission of its own. What has been emitted is kept in cells, so that a
 * commit may fall between any two entries and the next instance goes on behind the last.
 */
export class CloseWindows<K, A> extends WindowWalk<K, A> {
  /** Every window that starts before this has been emitted whole; none of them opens again, whatever becomes of `grace`. */
  readonly openFrom: Cell<number>;
  /** How many entries of the window at `openFrom`, or of the next one that has any, have been emitted and kept. */
  private readonly emitted: Cell<number>;
  private readonly destination: Subscriber<KafkaRecord<Windowed<K>, A>>;
  private toSkip = 0;

  constructor(windows: WalkedWindows<K, A>, destination: Subscriber<KafkaRecord<Windowed<K>, A>>) {
    super(windows);
    const { scope, shape } = windows.store;
    this.destination = destination;
    this.openFrom = scope.cell(shape.name, 'openFrom', 0);
    this.emitted = scope.cell(shape.name, 'emitted', 0);
  }

  isDue(): boolean {
    const { eventTime, bounds } = this.windows;
    const stillOpen = this.end > eventTime.value - bounds.grace;
    return !stillOpen;
  }

  protected from(): number {
    return this.openFrom.value;
  }

  /** By key bytes: what has been emitted is a number of entries from the first on. */
  protected openWindow(start: number): WindowCursor<K, A> {
    this.toSkip = this.emitted.value;
    return this.windows.store.open(start);
  }

  protected visit(cursor: WindowCursor<K, A>): void {
    if (this.toSkip > 0) {
      this.toSkip -= 1;
      return;
    }
    const { store, eventTime } = this.windows;
    const { key, entry } = cursor;
    if (store.scope.begin(store.shape.name, 'close', this.start, cursor.identity)) {
      const windowed = new WindowedKey(key, this.start, this.end);
      this.destination.next(KafkaRecord.of(windowed, entry.value, entry.timestamp, store.scope.origin));
      store.scope.end();
    }
    // What nobody can read any more goes at once; it is no entry to skip then.
    if (store.isRemovable(this.start)) store.remove(key, this.start, eventTime.value);
    else this.emitted.value += 1;
  }

  protected through(): void {
    this.openFrom.value = this.start + 1;
    this.emitted.value = 0;
  }
}
