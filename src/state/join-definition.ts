import { checkTopicName } from '../codec/topic-name';
import type { Codec } from '../model/codec';
import type { JoinDefinition, JoinStoreOptions } from '../model/join';
import { checkCodec } from './declared-options';
import { joiningCodec } from './join-rows';
import { checkJoinWindows } from './join-windows';

/**
 * Declares what two streams are joined by: records of either side wait here for their partners, each until none can come any more. Its
 * changelog is `<app>-<name>-changelog`: one record for each that is kept, and a tombstone when it goes.
 *
 * @param options `key`: the codec of both sides' keys. `left`, `right`: those of their values. `windows`: `before` and `after` in ms, a
 *   left record of time t meets right ones of [t - before, t + after]; `grace` in ms, default 0
 * @throws WINDOW_JOIN for bounds that no two records could lie within, WINDOW_GRACE; TOPIC_INVALID when Kafka does not allow the name in
 *   a topic; CONFIG for other options that cannot be
 * @example
 * const attribution = joinStore('attribution', { key: string, left: json(Click), right: json(Order), windows: { before: 0, after: hours(1) } });
 * @see joinStream
 */
export function joinStore<K, L, R>(name: string, options: JoinStoreOptions<K, L, R>): JoinDefinition<K, L, R> {
  checkTopicName(name, 'store');
  const { key, left, right, windows, persistent = true } = options;
  checkCodec(name, 'key', key);
  checkCodec(name, 'left', left);
  checkCodec(name, 'right', right);
  checkJoinWindows(name, windows);
  const value = joiningCodec(left, right);
  return {
    name,
    windows,
    shape: {
      kind: 'join',
      name,
      key: key as Codec<unknown>,
      value: value as unknown as Codec<unknown>,
      persistent,
      joinWindows: windows,
    },
  };
}
