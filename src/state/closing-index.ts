import { DueIndex } from './due-index';

/**
 * Which keys have rows to be closed, by time. What is closed may stay as it is, so that nothing of it is undone when a push is: whatever
 * was taken comes back with the layers of its store.
 */
export class ClosingIndex extends DueIndex {
  /** Rows of earlier times have been closed: who writes a key need not add it for them. Set by who closes. */
  openFrom = 0;
  /** What was taken since the last commit, in order. */
  private readonly taken: string[] = [];
  private readonly takenAt: number[] = [];
  /** How much of it the last checkpoint, and the sealed layer, cover. */
  private kept = 0;
  private sealed = 0;

  override take(): string | undefined {
    const time = this.earliest;
    const identity = super.take();
    if (identity !== undefined) {
      this.taken.push(identity);
      this.takenAt.push(time);
    }
    return identity;
  }

  checkpoint(): void {
    this.kept = this.taken.length;
  }

  rollback(): void {
    this.restoreFrom(this.kept);
  }

  seal(): void {
    this.kept = this.sealed = this.taken.length;
  }

  commit(): void {
    this.taken.splice(0, this.sealed);
    this.takenAt.splice(0, this.sealed);
    this.kept -= this.sealed;
    this.sealed = 0;
  }

  abort(): void {
    this.kept = this.sealed = 0;
    this.restoreFrom(0);
  }

  override clear(): void {
    super.clear();
    this.taken.length = this.takenAt.length = 0;
    this.kept = this.sealed = 0;
  }

  private restoreFrom(from: number): void {
    for (let i = from; i < this.taken.length; i++) this.add(this.taken[i]!, this.takenAt[i]!);
    this.taken.length = this.takenAt.length = from;
  }
}
