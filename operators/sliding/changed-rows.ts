import type { Row } from '../../src/state/rows';

/** `rows`, by start, with those of `changes` in their places; what has become null is left out. Few change at a time. */
export function changedRows<A>(rows: readonly Row<A>[], changes: readonly Row<A | null>[]): Row<A>[] {
  const changed = rows.slice();
  for (const change of changes) {
    let at = changed.length;
    while (at > 0 && changed[at - 1]!.start > change.start) at--;
    const replaced = at > 0 && changed[at - 1]!.start === change.start;
    if (replaced) at--;
    if (isRow(change)) changed.splice(at, replaced ? 1 : 0, change);
    else if (replaced) changed.splice(at, 1);
  }
  return changed;
}

function isRow<A>(row: Row<A | null>): row is Row<A> {
  return row.value !== null;
}
