import type { WindowCursor } from '../../src/state/handle';
import { WindowWalk } from './window-walk';

/** Removes the entries of windows that are closed and that retention no longer shows. Needs no cells: what is removed is not met again. */
export class RemoveWindows<K, A> extends WindowWalk<K, A> {
  isDue(): boolean {
    const { store, eventTime, bounds } = this.windows;
    return this.end <= eventTime.value - bounds.grace && store.isRemovable(this.start);
  }

  protected from(): number {
    return 0;
  }

  protected openWindow(start: number): WindowCursor<K, A> {
    return this.windows.store.openUnordered(start);
  }

  protected visit(cursor: WindowCursor<K, A>): void {
    this.windows.store.remove(cursor.key, this.start, this.windows.eventTime.value);
  }

  protected through(): void {
    // nothing to remember
  }
}
