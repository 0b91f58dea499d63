/** First come, first served. Taking the first costs the same however many wait; `Array.shift` moves all the others. */
export class Queue<T> {
  private items: (T | undefined)[] = [];
  /** Index of the first; those before it are gone. */
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  /** The `index`-th from the first on; undefined beyond the last. */
  at(index: number): T | undefined {
    return this.items[this.head + index];
  }

  push(item: T): void {
    this.items.push(item);
  }

  shift(): T | undefined {
    const first = this.items[this.head];
    if (this.length === 0) return undefined;
    this.items[this.head++] = undefined;
    // As many moved as have gone since the last time.
    if (this.head >= 32 && this.head * 2 >= this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return first;
  }

  clear(): void {
    this.items = [];
    this.head = 0;
  }
}
