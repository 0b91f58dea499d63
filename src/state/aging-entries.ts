import type { Codec } from '../model/codec';
import type { Duration } from '../model/duration';
import type { StoreShape } from '../model/store-definition';
import { DueIndex } from './due-index';
import type { StoreContext } from './layered-store';
import type { EventTime } from './event-time';
import type { AgingRuntime, KeyValueRuntime, Stamped } from './handle';
import { KeyValueEntries } from './key-value-entries';
import { keyWithIdCodec } from './key-with-id';
import type { Entry } from './segment';
import { StoreCodecs } from './store-codecs';
import { timestampOf } from './store-layout';
import { absent } from './version';

/** Nobody has said yet how far event time has come. */
const unknown: Pick<EventTime, 'value'> = { value: -1 };

/**
 * A key-value store, whose rows may age: once event time is more than `ttl` past the timestamp they were written with they are not read
 * any more, and removed. Their order is kept in memory, a lower bound for each key, and made anew when the store is loaded.
 */
export class AgingEntries<K, A> extends KeyValueEntries<K, A> implements KeyValueRuntime<K, A>, AgingRuntime {
  override due: DueIndex | undefined;
  private ttl: Duration;
  private eventTime = unknown;
  private indexing: Promise<void> | undefined;
  private keyedByIds = false;

  constructor(shape: StoreShape, id: number, context: StoreContext) {
    super(shape, id, context, new StoreCodecs<K, A>(shape));
    this.ttl = shape.ttl ?? Infinity;
    this.due = this.ttl === Infinity ? undefined : new DueIndex();
  }

  override find(key: K): Stamped<A> | undefined {
    const found = super.find(key);
    // A timestamp that nobody needs is not looked at: it lies elsewhere in memory.
    return found === undefined || this.ttl === Infinity || this.isReadable(found) ? found : undefined;
  }

  override isReadable({ timestamp }: Stamped<A>): boolean {
    return this.eventTime.value - timestamp <= this.ttl;
  }

  // ---- aging

  age(eventTime: Pick<EventTime, 'value'>, ttl = this.ttl): void {
    this.eventTime = eventTime;
    this.ttl = ttl;
    if (this.due === undefined) this.begin();
  }

  ready(): true | Promise<void> {
    return this.indexing ?? true;
  }

  keyByIds(): void {
    if (this.keyedByIds) return;
    if (this.segment.entries.size > 0) throw new Error(`store ${this.name} is in use by keys alone`);
    this.keyedByIds = true;
    const key = keyWithIdCodec(this.name, this.shape.key) as Codec<unknown>;
    this.codecs = new StoreCodecs<K, A>({ ...this.shape, key });
  }

  /** A store that was not declared with a `ttl` is indexed late. */
  private begin(): void {
    const due = new DueIndex();
    this.due = due;
    for (const entry of this.segment.entries.values()) this.reverted(entry);
    if (this.segment.complete) return;
    this.indexing = this.indexDisk(due).then(() => {
      this.indexing = undefined;
    });
    // Whoever waits for it hears of a failure.
    this.indexing.catch(() => undefined);
  }

  /** A snapshot of the disk must not outlive it. */
  override async closeCursors(): Promise<void> {
    await this.indexing?.catch(() => undefined);
    await super.closeCursors();
  }

  get isDue(): boolean {
    return this.due !== undefined && this.due.earliest < this.eventTime.value - this.ttl;
  }

  removeDue(budget: number): number {
    let left = budget;
    for (; left > 0 && this.isDue; left--) {
      const due = this.due!;
      const time = due.earliest;
      const identity = due.take()!;
      try {
        this.removeIfDue(due, identity);
      } catch (error) {
        due.add(identity, time);
        throw error;
      }
    }
    return left;
  }

  private removeIfDue(due: DueIndex, identity: string): void {
    const key = this.codecs.decodeKey(this.codecs.identityBytes(identity), 0);
    const found = super.find(key);
    if (found === undefined) return;
    if (this.isReadable(found)) due.add(identity, found.timestamp);
    else this.remove(key, this.eventTime.value);
  }

  // ---- the order of the rows

  protected override put(key: K, start: number, value: A, timestamp: number): void {
    super.put(key, start, value, timestamp);
    this.due?.add(this.codecs.identityOf(key), timestamp);
  }

  override reverted({ identity, current }: Entry<K, A>): void {
    if (current.value !== absent) this.due?.add(identity, current.timestamp);
  }

  protected override dueTimeOnDisk(value: Uint8Array): number {
    return timestampOf(value);
  }
}
