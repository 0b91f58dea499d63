import { compareIdentity, identityOf } from '../codec/identity';
import { MillraceError } from '../errors/millrace-error';
import type { StoreShape } from '../model/store-definition';
import type { KeyValueRuntime, Stamped, StoreRuntime, WindowCursor, WindowRuntime } from '../state/handle';
import type { MemoryScope } from './memory-scope';

class MemoryStore implements StoreRuntime {
  readonly shape: StoreShape;
  readonly scope: MemoryScope;
  private holder: object | undefined;

  constructor(shape: StoreShape, scope: MemoryScope) {
    this.shape = shape;
    this.scope = scope;
  }

  claim(token: object, operator: string): () => void {
    if (this.holder !== undefined) {
      const remedy = this.holder === token ? 'put share() behind it' : 'declare a store for each operator';
      throw new MillraceError('STORE_IN_USE', `${operator}: the store ${this.shape.name} is in use: ${remedy}`, {
        where: { operator, store: this.shape.name },
      });
    }
    this.holder = token;
    return () => {
      this.holder = undefined;
    };
  }
}

interface Row<K, A> {
  readonly key: K;
  readonly entry: Stamped<A>;
}

export class MemoryKeyValueStore<K, A> extends MemoryStore implements KeyValueRuntime<K, A> {
  readonly rows = new Map<string, Row<K, A>>();
  private readonly identity = identityOf(this.shape.key);

  find(key: K): Stamped<A> | undefined {
    return this.rows.get(this.identity(key))?.entry;
  }

  write(key: K, value: A, timestamp: number): void {
    this.rows.set(this.identity(key), { key, entry: { value, timestamp } });
  }

  remove(key: K): void {
    this.rows.delete(this.identity(key));
  }

  sorted(): Row<K, A>[] {
    const compare = compareIdentity(this.shape.key);
    return [...this.rows].sort((a, b) => compare(a[0], b[0])).map(([, row]) => row);
  }
}

export class MemoryWindowStore<K, A> extends MemoryStore implements WindowRuntime<K, A> {
  readonly windows = new Map<number, Map<string, Row<K, A>>>();
  invisibleUpTo = -Infinity;
  private readonly identity = identityOf(this.shape.key);

  find(key: K, start: number): Stamped<A> | undefined {
    return start <= this.invisibleUpTo ? undefined : this.windows.get(start)?.get(this.identity(key))?.entry;
  }

  write(key: K, start: number, value: A, timestamp: number): void {
    let rows = this.windows.get(start);
    if (rows === undefined) this.windows.set(start, (rows = new Map()));
    rows.set(this.identity(key), { key, entry: { value, timestamp } });
    this.invisibleUpTo = Math.max(this.invisibleUpTo, start - (this.shape.retention ?? Infinity));
  }

  remove(key: K, start: number): void {
    const rows = this.windows.get(start);
    rows?.delete(this.identity(key));
    if (rows?.size === 0) this.windows.delete(start);
  }

  nextStart(from: number): number {
    return Math.min(...[...this.windows.keys()].filter((start) => start >= from));
  }

  open(start: number, after?: string): WindowCursor<K, A> {
    const compare = compareIdentity(this.shape.key);
    const rows = [...(this.windows.get(start) ?? [])].filter(([identity]) => after === undefined || compare(identity, after) > 0);
    return new MemoryCursor(rows.sort((a, b) => compare(a[0], b[0])));
  }
}

class MemoryCursor<K, A> implements WindowCursor<K, A> {
  private at = -1;

  constructor(private readonly rows: readonly (readonly [string, Row<K, A>])[]) {}

  next(): boolean {
    return ++this.at < this.rows.length;
  }

  get key(): K {
    return this.rows[this.at]![1].key;
  }

  get identity(): string {
    return this.rows[this.at]![0];
  }

  get entry(): Stamped<A> {
    return this.rows[this.at]![1].entry;
  }

  close(): void {
    // nothing is held
  }
}
