/** A list most of whose places are never set: as long as none is, it takes no memory. */
export class SparseList<T> {
  private items: (T | undefined)[] | undefined;

  get(at: number): T | undefined {
    return this.items === undefined ? undefined : this.items[at];
  }

  set(at: number, item: T | undefined): void {
    if (this.items === undefined) {
      if (item === undefined) return;
      this.items = [];
    }
    // No holes: the engine would make a dictionary of it.
    while (this.items.length < at) this.items.push(undefined);
    this.items[at] = item;
  }
}
