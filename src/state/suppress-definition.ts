import { checkTopicName } from '../codec/topic-name';
import type { Codec, Codecs } from '../model/codec';
import type { SuppressDefinition } from '../model/store-definition';
import { checkCodec } from './declared-options';

/**
 * Declares what `suppress` holds results back in: the latest of each key, durable like any state. For results of windows give it the
 * `output` of their store: its key codec says when they close. Its changelog is `<app>-<name>-changelog`: the result with its headers and
 * its place in the order; a tombstone once it has been released.
 *
 * @throws TOPIC_INVALID when Kafka does not allow the name in a topic; CONFIG for options that cannot be
 * @example
 * const pageCounts = windowStore('page-counts', { key: string, value: int64, windows: perMinute });
 * const finalCounts = suppressStore('final-counts', pageCounts.output);
 */
export function suppressStore<K, V>(name: string, options: Codecs<K, V> & { readonly persistent?: boolean }): SuppressDefinition<K, V> {
  checkTopicName(name, 'store');
  const { key, value, persistent = true } = options;
  checkCodec(name, 'key', key);
  checkCodec(name, 'value', value);
  return { name, shape: { kind: 'suppress', name, key: key as Codec<unknown>, value: value as Codec<unknown>, persistent } };
}
