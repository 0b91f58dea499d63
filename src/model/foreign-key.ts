import type { StoreDefinition, StoreShape } from './store-definition';

declare const kind: unique symbol;

/** Who refers to which row: what a join by foreign key keeps on the side of the rows that are referred to. */
export interface ForeignKeyStore<K, F> {
  readonly [kind]: 'foreign-key';
  /** The row `key` refers to `foreign`. For tests. */
  readonly put: (key: K, foreign: F) => void;
}

/** What `foreignKeyStore` gives. */
export interface ForeignKeyDefinition<K, F> extends StoreDefinition<ForeignKeyStore<K, F>> {
  /** @internal */
  readonly shape: StoreShape;
}
