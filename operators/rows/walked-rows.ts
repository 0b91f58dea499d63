import type { RowRuntime } from '../../src/state/handle';

/** What the walks of one operator share. Times are those that rows are ordered by: starts of windows, ends of sessions. */
export interface WalkedRows<K, A> {
  readonly store: RowRuntime<K, A>;
  /** Rows of earlier times have closed. */
  closedBefore(): number;
  /** Rows of earlier times have closed, nobody can read them, and no record to come has any use for them. */
  removableBefore(): number;
  /** What removals carry as their time. */
  now(): number;
  /** The subscription has ended: nothing may be emitted or changed any more. */
  stopped(): boolean;
}
