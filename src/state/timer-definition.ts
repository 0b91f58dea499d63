import { int64 } from '../codec/primitives';
import { checkTopicName } from '../codec/topic-name';
import { MillraceError } from '../errors/millrace-error';
import type { Codec } from '../model/codec';
import type { TimerDefinition } from '../model/store-definition';

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
  const { encode, decode } = (key as Codec<K> | undefined) ?? ({} as Partial<Codec<K>>);
  if (typeof encode !== 'function' || typeof decode !== 'function') {
    throw optionError(name, 'key', 'is no codec: it needs encode and decode, as in string, int64 or json(Type)');
  }
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- programs in JavaScript
  if (clock !== 'event' && clock !== 'wall') throw optionError(name, 'clock', `is ${String(clock)}; it must be 'event' or 'wall'`);
  return {
    name,
    shape: { kind: 'timer', name, key: key as Codec<unknown>, value: int64 as Codec<unknown>, persistent, clock },
  };
}

function optionError(name: string, option: string, problem: string): MillraceError {
  return new MillraceError('CONFIG', `store ${name}: the option ${option} ${problem}`, { where: { store: name, option } });
}
