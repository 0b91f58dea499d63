/** As scripted-scope.ts has it, for stores whose windows belong to their key. */
import type { StoreDefinition } from '../../src/model/store-definition';
import { type RowRuntime, runtime } from '../../src/state/handle';
import type { RowEntries } from '../../src/state/row-entries';
import type { Scope } from '../../src/state/scope';
import { memoryStore } from '../../src/testing';
import { rowsByKey } from '../../src/testing/store-rows';

/** Rows that outlive scopes, as a store outlives assemblies. */
export class ScriptedRows<S extends object> {
  private readonly handle: S;
  private readonly behind: RowEntries<unknown, unknown>;

  constructor(definition: StoreDefinition<S>) {
    this.handle = memoryStore(definition);
    this.behind = (this.handle as { readonly [runtime]: unknown })[runtime] as RowEntries<unknown, unknown>;
  }

  /** The handle as a task with this scope would give it. */
  under(scope: Scope): S {
    return { [runtime]: scoped(this.behind, scope) } as unknown as S;
  }

  /** A checkpoint, and the way back to it. */
  checkpoint(): void {
    this.behind.checkpoint();
  }

  rollback(): void {
    this.behind.rollback();
  }

  /** Bounds of all rows that are kept, by key. */
  async bounds(): Promise<string[]> {
    const rows = await rowsByKey(this.handle as never, { andAtTheBound: true, hidden: true });
    return rows.map(({ key, window: { start, end } }) => `${String(key)}@${start}-${end}`);
  }
}

function scoped(behind: RowEntries<unknown, unknown>, scope: Scope): RowRuntime<unknown, unknown> {
  return {
    scope,
    shape: behind.shape,
    claim: (token, operator) => behind.claim(token, operator),
    rows: (key) => behind.rows(key),
    rowsOf: (identity) => behind.rowsOf(identity),
    replace: (key, rows, timestamp) => behind.replace(key, rows, timestamp),
    wrote: (time) => behind.wrote(time),
    get invisibleUpTo() {
      return behind.invisibleUpTo;
    },
    timeOf: (row) => behind.timeOf(row as never),
    identityOf: (key) => behind.identityOf(key),
    keyOf: (identity) => behind.keyOf(identity),
    compare: (a, b) => behind.compare(a, b),
    due: behind.due,
    closingIndex: () => behind.closingIndex(),
  };
}
