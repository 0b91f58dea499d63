import { checkTopicName } from '../codec/topic-name';
import type { BufferDefinition } from '../model/buffer';
import type { Codec, Codecs } from '../model/codec';
import { checkCodec } from './declared-options';

/**
 * Declares what the records of a stream wait in while a table that they are joined with catches up. Its changelog is
 * `<app>-<name>-changelog`: each record with its headers, and a tombstone once it has been joined. The keys of what waits are kept in
 * memory.
 *
 * @param options the codecs of the stream's keys and values
 * @throws TOPIC_INVALID when Kafka does not allow the name in a topic; CONFIG for options that cannot be
 * @example
 * const waitingOrders = bufferStore('waiting-orders', { key: string, value: json(Order) });
 * @see joinTable
 */
export function bufferStore<K, V>(name: string, options: Codecs<K, V> & { readonly persistent?: boolean }): BufferDefinition<K, V> {
  checkTopicName(name, 'store');
  const { key, value, persistent = true } = options;
  checkCodec(name, 'key', key);
  checkCodec(name, 'value', value);
  return { name, shape: { kind: 'buffer', name, key: key as Codec<unknown>, value: value as Codec<unknown>, persistent } };
}
