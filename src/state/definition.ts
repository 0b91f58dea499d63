import { checkTopicName } from '../codec/topic-name';
import { timeWindowedKey } from '../codec/windowed-key';
import { MillraceError } from '../errors/millrace-error';
import type { Codec, Codecs } from '../model/codec';
import type { Duration } from '../model/duration';
import type { KeyValueDefinition, WindowDefinition } from '../model/store-definition';
import type { TimeWindows, Windows } from '../model/window';
import { boundsOf, checkTimeWindows, describeWindows, isTimeWindows } from './windows';

interface Persistence {
  /** Kept in LevelDB (default); false: in memory, and restored whole from the changelog at every start. */
  readonly persistent?: boolean;
}

/**
 * Declares a store with one value a key. Its changelog is `<app>-<name>-changelog`.
 *
 * @throws TOPIC_INVALID when Kafka does not allow the name in a topic; CONFIG for options that cannot be
 * @example
 * const clicksPerUser = keyValueStore('clicks-per-user', { key: string, value: int64 });
 * const clickCounts = topic('click-counts', clicksPerUser.output);
 */
export function keyValueStore<K, A>(name: string, options: Codecs<K, A> & Persistence): KeyValueDefinition<K, A> {
  checkTopicName(name, 'store');
  checkCodecs(name, options);
  const { key, value, persistent = true } = options;
  return {
    name,
    output: { key, value },
    shape: { kind: 'key-value', name, key: key as Codec<unknown>, value: value as Codec<unknown>, persistent },
  };
}

/**
 * Declares a store with one value a key and window. Operators that use it must be given the same windows.
 *
 * @param options `retention`: how long a window stays readable, in ms of event time counted from the start of the newest window;
 *   ≥ size + grace, which is the default. A window that is no longer readable and closed is removed
 * @throws WINDOW_SIZE, WINDOW_ADVANCE, WINDOW_GRACE for windows that cannot be; TOPIC_INVALID for a name that Kafka does not allow in
 *   a topic; CONFIG for other options that cannot be
 * @example
 * const perMinute = { size: minutes(1), grace: seconds(10) };
 * const countPerPage = windowStore('page-counts', { key: string, value: int64, windows: perMinute });
 * const pageCounts = topic('page-counts', countPerPage.output);
 */
export function windowStore<K, A>(
  name: string,
  options: Codecs<K, A> & Persistence & { readonly windows: Windows; readonly retention?: Duration },
): WindowDefinition<K, A> {
  checkTopicName(name, 'store');
  checkCodecs(name, options);
  const { key, value, persistent = true } = options;
  const windows = timeWindowsOf(name, options.windows);
  const retention = retentionOf(name, windows, options.retention);
  const bounds = boundsOf(windows);
  return {
    name,
    output: { key: timeWindowedKey(key, (start) => bounds.endOf(start)), value },
    windows,
    shape: { kind: 'window', name, key: key as Codec<unknown>, value: value as Codec<unknown>, persistent, windows, retention },
  };
}

function timeWindowsOf(name: string, windows: Windows): TimeWindows {
  if (!isTimeWindows(windows)) {
    throw optionError(name, 'windows', `is ${describeWindows(windows)}; windows with a size are the only kind there is so far`);
  }
  checkTimeWindows(windows, `store ${name}`, { store: name });
  return windows;
}

function retentionOf(name: string, { size, grace = 0 }: TimeWindows, given: Duration | undefined): Duration {
  const least = size + grace;
  const retention = given ?? least;
  if (Number.isSafeInteger(retention) && retention >= least) return retention;
  throw optionError(name, 'retention', `is ${retention}; it must be a whole number of ms >= size + grace, which is ${least}`);
}

function checkCodecs(name: string, codecs: { readonly key: unknown; readonly value: unknown }): void {
  for (const side of ['key', 'value'] as const) {
    const { encode, decode } = (codecs[side] ?? {}) as Partial<Codec<unknown>>;
    if (typeof encode === 'function' && typeof decode === 'function') continue;
    throw optionError(name, side, 'is no codec: it needs encode and decode, as in string, int64 or json(Type)');
  }
}

function optionError(name: string, option: string, problem: string): MillraceError {
  return new MillraceError('CONFIG', `store ${name}: the option ${option} ${problem}`, { where: { store: name, option } });
}
