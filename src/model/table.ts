import type { Observable } from 'rxjs';
import type { Duration } from './duration';
import type { KafkaRecord } from './record';

/** A row as it was and as it is; undefined: there was, or is, none. */
export interface Change<V> {
  readonly before: V | undefined;
  readonly after: V | undefined;
}

/**
 * The latest value of each key: one partition of a table, or all of a global one. Joining with a table subscribes to it, so that a table
 * is kept up exactly while it is used.
 */
export interface Table<K, V> {
  /** The row as it is now. Within a push it has seen the record that is being pushed. */
  readonly get: (key: K) => V | undefined;
  /** Each change in the order of the table's input, after the row has changed: the new value, null for a deletion. Hot and shared. */
  readonly changes: Observable<KafkaRecord<K, V | null>>;
  /**
   * The same with what was there before; of a table that keeps no rows, `before` is not known and undefined. Whoever subscribes gives a table
   * of a topic a changelog of its own: the topic may have been compacted beyond what was processed.
   */
  readonly updates: Observable<KafkaRecord<K, Change<V>>>;
}

/** Of `task.table`. */
export interface TableOptions {
  /**
   * Does the task keep the rows? Default true. false: the table only passes changes on: for a table that is merely filtered and written.
   * It cannot be joined with.
   */
  readonly materialized?: boolean;
  /**
   * Keeps the versions of each row for this long, ms of event time, > 0: `joinTable` then finds the row that was valid at the time of a
   * record. S being the greatest time of a row: from S - history on. A row older than that is dropped and counted
   * (`dropped-records-total`, reason `late`), and one older than the latest of its key changes no more than what is found as of its time:
   * neither `get` nor `changes`. A null is a version too: from then on there is no row.
   *
   * The versions have a changelog of their own, `<app>-<topic>-versions-changelog`. A history that grows finds what was kept; a table that
   * is given one, or that loses it, is another: reset the application.
   * @see KIP-889, KIP-914
   */
  readonly history?: Duration;
}
