import { DueIndex } from './due-index';
import type { Scheduled } from './handle';
import { KeyValueEntries } from './key-value-entries';
import type { Entry } from './segment';
import { VALUE_AT } from './store-layout';
import { absent } from './version';

/**
 * A key-value store each of whose entries has a time when something happens to it: timers, rows held back. Their order is kept in memory:
 * a lower bound for each key, since most entries move to a later time often. It is made anew when the store is loaded.
 */
export abstract class ScheduledEntries<K, A> extends KeyValueEntries<K, A> {
  override readonly due = new DueIndex((a, b) => this.codecs.compare(a, b));

  /** When it is an entry's turn. */
  protected abstract timeOf(value: A): number;
  /** The same of a value as it was encoded; it begins at `at`. */
  protected abstract timeIn(bytes: Uint8Array, at: number): number;

  /** Nothing is scheduled before this; Infinity when nothing is at all. No disk. */
  get earliest(): number {
    return this.due.earliest;
  }

  schedule(key: K, value: A, timestamp: number): void {
    this.put(key, 0, value, timestamp);
    this.due.add(this.codecs.identityOf(key), this.timeOf(value));
  }

  /** Undefined: nothing is scheduled up to `until`. What is given stays until it is removed or moved. */
  next(until: number): Scheduled<K, A> | undefined {
    const { due, codecs } = this;
    while (due.earliest <= until && due.first !== undefined) {
      const identity = due.first;
      const key = codecs.decodeKey(codecs.identityBytes(identity), 0);
      const entry = this.find(key);
      const time = entry === undefined ? Infinity : this.timeOf(entry.value);
      if (entry !== undefined && time === due.earliest) return { key, identity, time, entry };
      due.take();
      if (time !== Infinity) due.add(identity, time);
    }
    return undefined;
  }

  identityOf(key: K): string {
    return this.codecs.identityOf(key);
  }

  override reverted(entry: Entry<K, A>): void {
    const { value } = entry.current;
    if (value !== absent) this.due.add(entry.identity, this.timeOf(value));
  }

  protected override dueTimeOnDisk(value: Uint8Array): number {
    return this.timeIn(value, VALUE_AT);
  }
}
