/** A window as its store knows it. */
interface KnownWindow {
  readonly start: number;
  readonly hasEntries: boolean;
  /** Kept by the index. */
  listed: boolean;
}

/** The windows of a store: those memory knows, and in ascending order those that reads see entries of. */
export class WindowIndex<W extends KnownWindow> {
  private readonly byStart = new Map<number, W>();
  private readonly listed: number[] = [];
  /** Looked for last. */
  private last: W | undefined;

  get(start: number): W | undefined {
    if (this.last?.start === start) return this.last;
    const window = this.byStart.get(start);
    if (window !== undefined) this.last = window;
    return window;
  }

  add(window: W): void {
    this.byStart.set(window.start, window);
    this.relist(window);
  }

  /** Called when `window.hasEntries` may have changed. */
  relist(window: W): void {
    if (window.listed === window.hasEntries) return;
    window.listed = !window.listed;
    const at = lowerBound(this.listed, window.start);
    if (window.listed) this.listed.splice(at, 0, window.start);
    else this.listed.splice(at, 1);
  }

  /** Forgets a window that has nothing, on disk neither. */
  remove(window: W): void {
    if (this.byStart.get(window.start) !== window) return;
    this.byStart.delete(window.start);
    if (this.last === window) this.last = undefined;
  }

  /** The smallest listed start >= `from`, or Infinity. */
  next(from: number): number {
    return this.listed[lowerBound(this.listed, from)] ?? Infinity;
  }

  /** The greatest listed start, or -Infinity. */
  get greatest(): number {
    return this.listed.at(-1) ?? -Infinity;
  }

  windows(): Iterable<W> {
    return this.byStart.values();
  }

  clear(): void {
    this.byStart.clear();
    this.listed.length = 0;
    this.last = undefined;
  }
}

function lowerBound(starts: readonly number[], start: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! < start) low = middle + 1;
    else high = middle;
  }
  return low;
}
