import type { Observable } from 'rxjs';
import { MillraceError } from '../errors/millrace-error';
import type { Codec } from '../model/codec';
import type { KafkaRecord } from '../model/record';
import type { Duration } from '../model/duration';
import type { StoreDefinition, KeyValueStore, StoreShape } from '../model/store-definition';
import type { Change, Table } from '../model/table';
import type { VersionedDefinition } from '../model/versioned';
import type { Topic } from '../model/topic';
import type { Stamped } from './handle';
import type { Scope } from './scope';
import { versionedStore } from './versioned-definition';

/** Where the operators find what is behind a table. */
export const tableRuntime: unique symbol = Symbol('millrace.table');

export interface TableRuntime<K, V> {
  /** What errors and plans call it. */
  readonly name: string;
  readonly scope: Scope;
  /** Rows can be looked up, and `before` is known. */
  readonly isKept: boolean;
  /** All partitions, and its changes lead to nothing. Default false. */
  readonly isGlobal?: boolean;
  readonly find: (key: K) => Stamped<V> | undefined;
  /** Those of the table, for readers that do not care what was before, or have said so with `takeBack`. */
  readonly updates: Observable<KafkaRecord<K, Change<V>>>;
  /** How far its rows are, which may be ahead of what has come out of `updates`. Undefined for a table that is not followed. */
  readonly progress: Progress<K, V> | undefined;
  /** Rows can be looked up as of a time. */
  readonly versions?: TableVersions<K, V> | undefined;
  /** How its rows are written where a store keeps them; undefined: they are worked out from another table's. */
  readonly codecs: { readonly key: Codec<unknown>; readonly value: Codec<unknown> } | undefined;
  /**
   * Somebody goes by `before`, for whom a restored row that is missing is a mistake for ever. Then a source topic cannot be the changelog:
   * it may have been compacted up to later rows of the same keys than those that were processed.
   */
  readonly takeBack: () => void;
}

/**
 * A table may be read while a change of one that it follows from is being emitted, and has not come to it yet: then its row is that which
 * will come.
 */
export interface Progress<K, V> {
  /** As the key's codec has it. */
  readonly identity: (key: K) => string;
  /** Grows with each change of a row that its rows follow from. */
  readonly changes: () => number;
  /** Of a row that a change under way concerns: what it was. */
  readonly changing: (key: K) => { readonly before: V | undefined } | undefined;
}

/** What rows were. */
export interface TableVersions<K, V> {
  /** ms: how far back. */
  readonly history: Duration;
  /** The row valid at `time`; before the history only what is still the latest. */
  readonly findAsOf: (key: K, time: number) => Stamped<V> | undefined;
}

export interface TableHandle<K, V> extends Table<K, V> {
  readonly [tableRuntime]: TableRuntime<K, V>;
}

/** @throws CONFIG for what is no table */
export function tableOf<K, V>(table: Table<K, V>, operator: string): TableRuntime<K, V> {
  const behind = (table as Partial<TableHandle<K, V>>)[tableRuntime];
  if (behind !== undefined) return behind;
  throw new MillraceError(
    'CONFIG',
    `${operator}: this is no table; take it from task.table, task.globalTable, toTable or what else gives one`,
    {
      where: { operator },
    },
  );
}

/** @throws CONFIG for a table without rows */
export function keptTableOf<K, V>(table: Table<K, V>, operator: string): TableRuntime<K, V> {
  const behind = tableOf(table, operator);
  if (behind.isKept) return behind;
  throw new MillraceError(
    'CONFIG',
    `${operator}: the table "${behind.name}" keeps no rows to look up; leave out materialized: false, or give the operator that makes it a store`,
    { where: { operator } },
  );
}

/** The store of a versioned table. A topic loses versions when it is compacted: it cannot be the changelog. */
export function tableVersionsStore(topic: Topic<unknown, unknown>, history: Duration): VersionedDefinition<unknown, unknown> {
  return versionedStore(`${topic.name}-versions`, { key: topic.key, value: topic.value, history });
}

/** The store of a table that a topic feeds directly; that topic is its changelog, unless somebody takes rows back. */
export function tableStore(
  topic: Topic<unknown, unknown>,
): StoreDefinition<KeyValueStore<unknown, unknown>> & { readonly shape: StoreShape } {
  const name = `${topic.name}-table`;
  const { key, value } = topic as { readonly key: Codec<unknown>; readonly value: Codec<unknown> };
  return { name, shape: { kind: 'key-value', name, key, value, persistent: true, sourceTopic: topic.name } };
}
