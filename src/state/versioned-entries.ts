import type { Codec } from '../model/codec';
import type { Duration } from '../model/duration';
import type { VersionedShape, VersionedStore } from '../model/versioned';
import { DueIndex } from './due-index';
import type { StoreContext } from './layered-store';
import { runtime, type Stamped, type StoreRuntime } from './handle';
import { RowEntries } from './row-entries';
import { decodeRows, Row } from './rows';
import type { Cell } from './scope';
import type { Entry } from './segment';
import { VALUE_AT } from './store-layout';
import { absent } from './version';
import { goneFrom, saysNothing, validAt, versionCodec, type VersionRow } from './version-rows';

/** 'latest': what `latest` gives now. 'older': there is a later version. 'refused': it is older than the history, and not kept. */
export type Placed = 'latest' | 'older' | 'refused';

/** What a versioned table is kept in. */
export interface VersionedRuntime<K, V> extends StoreRuntime {
  /** Of values alone. */
  readonly valueCodec: Codec<unknown>;
  latest(key: K): Stamped<V> | undefined;
  /** The version valid at `time`. Before the history: only what is still the latest. */
  asOf(key: K, time: number): Stamped<V> | undefined;
  /** A version valid from `time` on, in the place of one of that very time. */
  place(key: K, value: V | null | undefined, time: number): Placed;
}

export interface VersionedHandle<K, V> extends VersionedStore<K, V> {
  readonly [runtime]: VersionedRuntime<K, V>;
}

/** Keys looked at for what has left the history, for each version that is written: more than one write can make due. */
const KEYS_PER_WRITE = 4;

const isNothing = (row: VersionRow<unknown>): boolean => row.value === null;

/** All versions of a key in one entry, so that a look-up is one point read. */
export class VersionedEntries<K, V> extends RowEntries<K, V | null> implements VersionedRuntime<K, V> {
  /** Of keys with versions that go: when the first does. A key with one value alone has none. */
  override readonly due = new DueIndex();
  readonly valueCodec: Codec<unknown>;
  private readonly history: Duration;
  /** The greatest time of a version written, kept with the offsets; a restart without it falls back on `newestOnDisk`. */
  private readonly newest: Cell<number>;
  private newestOnDisk = -Infinity;

  constructor(shape: VersionedShape, id: number, context: StoreContext) {
    super({ ...shape, value: versionCodec(shape.value) }, id, context);
    this.valueCodec = shape.value;
    this.history = shape.history;
    this.newest = context.scope.cell(shape.name, 'newest', -Infinity);
  }

  /** The earliest time of which the versions are known. */
  private get knownFrom(): number {
    return Math.max(this.newest.value, this.newestOnDisk) - this.history;
  }

  latest(key: K): Stamped<V> | undefined {
    return asStamped(this.rows(key).at(-1));
  }

  asOf(key: K, time: number): Stamped<V> | undefined {
    const rows = this.rows(key);
    const at = validAt(rows, time);
    if (at < rows.length - 1 && time < this.knownFrom) return undefined;
    return asStamped(rows[at]);
  }

  place(key: K, value: V | null | undefined, time: number): Placed {
    if (time < this.knownFrom) return 'refused';
    if (time > this.newest.value) this.newest.value = time;
    const rows = this.rows(key).slice();
    const at = validAt(rows, time);
    const isInPlace = at >= 0 && rows[at]!.start === time;
    rows.splice(isInPlace ? at : at + 1, isInPlace ? 1 : 0, new Row(time, time, value ?? null, time));
    const isLatest = rows.at(-1)!.start === time;
    this.replace(key, this.findable(rows), this.newest.value);
    this.removeLost();
    return isLatest ? 'latest' : 'older';
  }

  override replace(key: K, rows: readonly VersionRow<V>[], timestamp: number): void {
    if (rows.length === 0) {
      if (this.rows(key).length > 0) this.remove(key, timestamp);
      return;
    }
    // What is frozen cannot take its bytes any more.
    if (this.context.freeze) this.codecs.encodeValue(key, rows);
    this.put(key, 0, rows, timestamp);
    this.expect(this.identityOf(key), goneFrom(rows, isNothing));
  }

  // ---- what leaves the history

  /** `rows` without the first ones, if nobody can find them; the same if all can be found. */
  private findable(rows: readonly VersionRow<V>[]): readonly VersionRow<V>[] {
    let found = rows;
    while (goneFrom(found, isNothing) <= this.knownFrom) found = found.slice(1);
    return found;
  }

  private removeLost(): void {
    const { due } = this;
    for (let left = KEYS_PER_WRITE; left > 0 && due.earliest <= this.knownFrom; left--) {
      const time = due.earliest;
      const identity = due.take()!;
      try {
        const rows = this.rowsOf(identity);
        const found = this.findable(rows);
        if (found !== rows) this.replace(this.keyOf(identity), found, this.newest.value);
        else this.expect(identity, goneFrom(rows, isNothing));
      } catch (error) {
        due.add(identity, time);
        throw error;
      }
    }
  }

  private expect(identity: string, time: number): void {
    if (time !== Infinity) this.due.add(identity, time);
  }

  override reverted({ identity, current }: Entry<K, readonly VersionRow<V>[]>): void {
    if (current.value !== absent) this.expect(identity, goneFrom(current.value, isNothing));
  }

  protected override dueTimeOnDisk(value: Uint8Array): number {
    const rows = decodeRows(value, VALUE_AT);
    const latest = rows.at(-1);
    if (latest !== undefined && latest.start > this.newestOnDisk) this.newestOnDisk = latest.start;
    return goneFrom(rows, (row) => saysNothing(row.value));
  }

  protected override clearSegments(): void {
    super.clearSegments();
    this.newestOnDisk = -Infinity;
  }
}

function asStamped<V>(row: VersionRow<V> | undefined): Stamped<V> | undefined {
  return row === undefined || row.value === null ? undefined : (row as Stamped<V>);
}

/** What `task.store` gives for a versioned store. */
export function versionedHandle<K, V>(entries: VersionedEntries<K, V>): VersionedHandle<K, V> {
  const handle = {
    [runtime]: entries,
    get: (key: K, asOf?: number) => (asOf === undefined ? entries.latest(key) : entries.asOf(key, asOf))?.value,
    put: (key: K, value: V | null, from: number = entries.scope.timestamp) => {
      entries.place(key, value, from);
    },
  };
  return handle as unknown as VersionedHandle<K, V>;
}
