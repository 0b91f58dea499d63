import { checkTopicName } from '../codec/topic-name';
import type { Codec, Codecs } from '../model/codec';
import type { Duration } from '../model/duration';
import type { VersionedDefinition, VersionedShape } from '../model/versioned';
import { checkCodec, storeOptionError } from './declared-options';

/**
 * Declares a store that keeps the versions of each key: for a table that is looked up as of the time of a record. Its changelog is
 * `<app>-<name>-changelog`: one record for each version that is kept, and a tombstone when it goes.
 *
 * @param options `history`: ms, > 0. S being the greatest time of a version, lookups as of S - history and later find the version of that
 *   time, earlier ones only what is still the latest; a version older than S - history is refused. What can be found no more is removed
 * @throws TOPIC_INVALID when Kafka does not allow the name in a topic; CONFIG for options that cannot be
 * @example
 * const prices = versionedStore('prices', { key: string, value: json(Price), history: days(1) });
 * const priceTable = toTable(stream(priceChanges), store(prices));
 * @see KIP-889
 */
export function versionedStore<K, V>(
  name: string,
  options: Codecs<K, V> & { readonly history: Duration; readonly persistent?: boolean },
): VersionedDefinition<K, V> {
  checkTopicName(name, 'store');
  const { key, value, history, persistent = true } = options;
  checkCodec(name, 'key', key);
  checkCodec(name, 'value', value);
  if (!isHistory(history)) throw storeOptionError(name, 'history', `is ${String(history)}; it must be a whole number of ms > 0`);
  const shape: VersionedShape = {
    kind: 'versioned',
    name,
    key: key as Codec<unknown>,
    value: value as Codec<unknown>,
    persistent,
    history,
  };
  return { name, history, shape };
}

export function isHistory(history: unknown): boolean {
  return Number.isSafeInteger(history) && (history as number) > 0;
}
