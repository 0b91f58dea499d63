import { BatchReader } from './batch-decode';

/** Shows no record at or behind `until`, and no position behind it. */
export class BoundedReader extends BatchReader {
  until = Infinity;

  override peek(): boolean {
    return super.peek() && this.offset < this.until;
  }

  override nextRecord(): boolean {
    if (this.peek() && super.nextRecord()) return true;
    // Looking for a record it may have passed markers that lie behind.
    this.nextOffset = Math.min(this.nextOffset, this.until);
    return false;
  }
}
