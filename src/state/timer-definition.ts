import { int64 } from '../codec/primitives';
import { checkTopicName } from '../codec/topic-name';
import type { Codec } from '../model/codec';
import type { TimerDefinition } from '../model/store-definition';
import { checkCodec, storeOptionError } from './declared-options';

/**
 * Declares durable timers, one a key: they survive restarts, and are set, cancelled and fired as any state is changed: committed with the
 * records that caused it, undone with them. Its changelog is `<app>-<name>-changelog`: key and time as int64; a tombstone once it has fired.
 *
 * @param options `clock`: 'event' timers fire when event time has come to theirs, 'wall' timers when the wall clock has; those missed
 *   while nobody was running fire at the start, once
 * @throws TOPIC_INVALID when Kafka does not allow the name in a topic; CONFIG for options that cannot be
 * @example
 * const quiet = timerStore('quiet-accounts', { key: string, clock: 'event' });
 * @see processWithStore
 */
export function timerStore<K>(
  name: string,
  options: { readonly key: Codec<K>; readonly clock: 'event' | 'wall'; readonly persistent?: boolean },
): TimerDefinition<K> {
  checkTopicName(name, 'store');
  const { key, clock, persistent = true } = options;
  checkCodec(name, 'key', key);
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- programs in JavaScript
  if (clock !== 'event' && clock !== 'wall') throw storeOptionError(name, 'clock', `is ${String(clock)}; it must be 'event' or 'wall'`);
  return {
    name,
    shape: { kind: 'timer', name, key: key as Codec<unknown>, value: int64 as Codec<unknown>, persistent, clock },
  };
}
