import type { WindowCursor, WindowRuntime } from '../../src/state/handle';
import type { EventTime } from '../../src/state/event-time';
import type { WindowBounds } from '../../src/state/windows';

/** What the walks of one operator share. */
export interface WalkedWindows<K, A> {
  readonly store: WindowRuntime<K, A>;
  readonly bounds: WindowBounds;
  readonly eventTime: Pick<EventTime, 'value'>;
  /** The subscription has ended: nothing may be emitted or changed any more. */
  readonly stopped: () => boolean;
}

/** Walks the entries of the windows that are due, by ascending start; stops within a window when its budget is used. */
export abstract class WindowWalk<K, A> {
  protected readonly windows: WalkedWindows<K, A>;
  /** The window to walk next, or being walked; no window with entries that it has not walked starts before. */
  protected start = Infinity;
  protected end = Infinity;
  private cursor: WindowCursor<K, A> | undefined;

  constructor(windows: WalkedWindows<K, A>) {
    this.windows = windows;
  }

  /** Is the window at `start` due? Asked for every record: no store access but for what is in memory. */
  abstract isDue(): boolean;
  /** Where the search for the next window begins. */
  protected abstract from(): number;
  protected abstract openWindow(start: number): WindowCursor<K, A>;
  protected abstract visit(cursor: WindowCursor<K, A>): void;
  protected abstract through(): void;

  /** An entry of the window at `start` was written. */
  wrote(start: number): void {
    if (start >= this.start) return;
    this.start = start;
    this.end = this.windows.bounds.endOf(start);
  }

  seek(): void {
    this.start = this.windows.store.nextStart(this.from());
    this.end = this.start === Infinity ? Infinity : this.windows.bounds.endOf(this.start);
  }

  /** Visits up to `budget` entries. Gives what is left of it (0: call again), or a promise to wait for before calling again. */
  run(budget: number): number | Promise<void> {
    let left = budget;
    while (left > 0 && !this.windows.stopped()) {
      const cursor = this.cursor ?? this.openNext();
      if (cursor === undefined) return left;
      const more = cursor.next();
      if (typeof more !== 'boolean') return more;
      if (more) {
        this.visit(cursor);
        left -= 1;
      } else {
        this.close();
        this.through();
      }
    }
    return left;
  }

  close(): void {
    this.cursor?.close();
    this.cursor = undefined;
  }

  private openNext(): WindowCursor<K, A> | undefined {
    this.seek();
    if (!this.isDue()) return undefined;
    this.cursor = this.openWindow(this.start);
    return this.cursor;
  }
}
