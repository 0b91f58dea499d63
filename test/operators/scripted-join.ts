/** As scripted-scope.ts has it, for the store of a join. */
import type { JoinDefinition, JoinStore } from '../../src/model/join';
import { runtime } from '../../src/state/handle';
import type { JoinEntries, JoinRuntime } from '../../src/state/join-entries';
import { LEFT } from '../../src/state/join-rows';
import type { Scope } from '../../src/state/scope';
import { memoryStore } from '../../src/testing';

/** Rows that outlive scopes, as a store outlives assemblies. */
export class ScriptedJoin {
  private readonly behind: JoinEntries<unknown, unknown>;

  constructor(definition: JoinDefinition<string, string, string>) {
    const handle = memoryStore(definition) as unknown as { readonly [runtime]: unknown };
    this.behind = handle[runtime] as JoinEntries<unknown, unknown>;
  }

  /** The handle as a task with this scope would give it. */
  under(scope: Scope): JoinStore<string, string, string> {
    return { [runtime]: scoped(this.behind, scope) } as unknown as JoinStore<string, string, string>;
  }

  /** A checkpoint, and the way back to it. */
  checkpoint(): void {
    this.behind.checkpoint();
  }

  rollback(): void {
    this.behind.rollback();
  }

  /** All rows that are kept, by key. */
  rows(): string[] {
    const found: string[] = [];
    const cursor = this.behind.openRange(undefined, undefined);
    while (cursor.next() === true) {
      for (const { start, value } of cursor.entry.value) {
        const { side, value: kept, waits } = value;
        found.push(`${String(cursor.key)} ${side === LEFT ? 'left' : 'right'} ${String(kept)}@${start}${waits ? ' waits' : ''}`);
      }
    }
    cursor.close();
    return found;
  }
}

function scoped(behind: JoinEntries<unknown, unknown>, scope: Scope): JoinRuntime<unknown, unknown> {
  return {
    scope,
    shape: behind.shape,
    claim: (token, operator) => behind.claim(token, operator),
    rows: (key) => behind.rows(key),
    rowsOf: (identity) => behind.rowsOf(identity),
    replace: (key, rows, timestamp) => behind.replace(key, rows, timestamp),
    added: (key, time, joining) => behind.added(key, time, joining),
    keyOf: (identity) => behind.keyOf(identity),
    kept: (side) => behind.kept(side),
    waiting: (side) => behind.waiting(side),
  };
}
