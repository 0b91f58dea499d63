/** Gives items as they lie. */
export class Unsorted<T> {
  private at = 0;

  constructor(private readonly items: readonly T[]) {}

  peek(): T | undefined {
    return this.items[this.at];
  }

  take(): void {
    this.at++;
  }
}
