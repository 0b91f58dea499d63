import { bytes } from '../codec/primitives';
import { checkTopicName } from '../codec/topic-name';
import type { Codec } from '../model/codec';
import type { ForeignKeyDefinition } from '../model/foreign-key';
import { checkCodec } from './declared-options';

/**
 * Declares what a join by foreign key keeps: which rows refer to which. Its changelog is `<app>-<name>-changelog`, its internal topics are
 * `<app>-<name>-subscriptions-repartition` and `<app>-<name>-answers-repartition`.
 *
 * @param options `key`: of the rows that refer. `foreignKey`: of the rows referred to; it must write the same bytes as their table's key
 *   codec, for by these both find to the same partition
 * @throws TOPIC_INVALID when Kafka does not allow the name in a topic; CONFIG for what is no codec
 * @example
 * const productOfOrder = foreignKeyStore('product-of-order', { key: string, foreignKey: string });
 */
export function foreignKeyStore<K, F>(
  name: string,
  options: { readonly key: Codec<K>; readonly foreignKey: Codec<F>; readonly persistent?: boolean },
): ForeignKeyDefinition<K, F> {
  checkTopicName(name, 'store');
  const { key, foreignKey, persistent = true } = options;
  checkCodec(name, 'key', key);
  checkCodec(name, 'foreignKey', foreignKey);
  const shape = { kind: 'foreign-key', name, key: key as Codec<unknown>, value: bytes as Codec<unknown>, persistent } as const;
  return { name, shape: { ...shape, foreignKey: foreignKey as Codec<unknown> } };
}
