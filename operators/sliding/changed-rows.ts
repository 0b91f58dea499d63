import type { Row } from '../../src/state/rows';

/** `rows`, by start, with those of `changes` in their places; what has become null is left out, and what starts before `dropped`. Few change at a time. */
export function changedRows<A>(rows: readonly Row<A>[], changes: readonly Row<A | null>[], dropped: number): Row<A>[] {
  let first = 0;
  while (first < rows.length && rows[first]!.start < dropped) first++;
  const changed = rows.slice(first);
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
