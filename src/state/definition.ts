import { checkTopicName } from '../codec/topic-name';
import { sessionWindowedKey, timeWindowedKey } from '../codec/windowed-key';
import { MillraceError } from '../errors/millrace-error';
import { type Codec, type Codecs, keyWindows } from '../model/codec';
import type { Duration } from '../model/duration';
import type { KeyValueDefinition, SessionDefinition, StoreShape, WindowDefinition } from '../model/store-definition';
import type { ResultWindows, SessionWindows, Windows } from '../model/window';
import { boundsOf, checkWindows, describeWindows, isCountWindows, isSessionWindows, isSlidingWindows, isTimeWindows } from './windows';

interface Persistence {
  /** Kept in LevelDB (default); false: in memory, and restored whole from the changelog at every start. */
  readonly persistent?: boolean;
}

/**
 * Declares a store with one value a key. Its changelog is `<app>-<name>-changelog`.
 *
 * @param options `ttl`: ms of event time that a row stays, > 0; without it rows stay until they are deleted. A row is read until event
 *   time - its time > ttl, then it is removed from store and changelog (a tombstone). Its time is that of its last write: an aggregate's
 *   the greatest of its records, any other's that of the record it was written for. Event time is that of the operator on the store: the
 *   greatest timestamp it has been given, or its watermark. What is written with a time that is over already is gone before the next
 *   record. The keys of a store with `ttl` are kept in memory
 * @throws TOPIC_INVALID when Kafka does not allow the name in a topic; CONFIG for options that cannot be
 * @example
 * const clicksPerUser = keyValueStore('clicks-per-user', { key: string, value: int64 });
 * const clickCounts = topic('click-counts', clicksPerUser.output);
 */
export function keyValueStore<K, A>(
  name: string,
  options: Codecs<K, A> & Persistence & { readonly ttl?: Duration },
): KeyValueDefinition<K, A> {
  checkTopicName(name, 'store');
  checkCodecs(name, options);
  const { key, value, persistent = true, ttl } = options;
  if (ttl !== undefined && !(Number.isSafeInteger(ttl) && ttl > 0)) {
    throw optionError(name, 'ttl', `is ${String(ttl)}; it must be a whole number of ms > 0, or left out: then rows stay`);
  }
  const shape: StoreShape = { kind: 'key-value', name, key: key as Codec<unknown>, value: value as Codec<unknown>, persistent };
  return { name, output: { key, value }, shape: ttl === undefined ? shape : { ...shape, ttl } };
}

/**
 * Declares a store with one value a key and window. Operators that use it must be given the same windows.
 *
 * @param options `retention`: how long a window stays readable, in ms of event time counted from the start of the newest window;
 *   >= size + grace (sliding: 2 x difference + grace), which is the default. Windows of one's own are readable until they close, or longer
 *   if `retention` says so. A window that is no longer readable and closed is removed
 * @throws WINDOW_SIZE, WINDOW_ADVANCE, WINDOW_DIFFERENCE, WINDOW_RECORDS, WINDOW_GRACE for windows that cannot be; TOPIC_INVALID for a name that Kafka does not allow in
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
  const { windows } = options;
  checkDeclaration(name, options);
  const retention = retentionOf(name, windows, options.retention);
  const bounds = boundsOf(windows);
  const key = timeWindowedKey(options.key, (start) => bounds.endOf(start));
  const output = { key: { ...key, [keyWindows]: resultWindows(options) }, value: options.value };
  return { name, output, windows, shape: windowedShape(name, kindOf(windows), options, retention) };
}

/**
 * Declares a store with one value a key and session: records of a key that lie at most `gap` apart.
 *
 * @param options `windows`: `gap` in ms of event time, > 0; `grace`: ms that a session waits for late records after its end and the
 *   gap, >= 0, default 0. `retention`: how long a session stays readable, in ms of event time counted from the end of the newest
 *   session; >= gap + grace, default gap + grace + 1: exactly what is still open. A session that is no longer readable and closed is
 *   removed
 * @throws WINDOW_GAP, WINDOW_GRACE for sessions that cannot be; TOPIC_INVALID for a name that Kafka does not allow in a topic; CONFIG for
 *   other options that cannot be
 * @example
 * const visits = sessionStore('visits', { key: string, value: int64, windows: { gap: minutes(30) } });
 * const visitCounts = topic('visit-counts', { key: visits.output.key, value: nullable(int64) });
 */
export function sessionStore<K, A>(
  name: string,
  options: Codecs<K, A> & Persistence & { readonly windows: SessionWindows; readonly retention?: Duration },
): SessionDefinition<K, A> {
  const { windows } = options;
  checkDeclaration(name, options);
  if (!isSessionWindows(windows)) throw optionError(name, 'windows', `is ${describeWindows(windows)}; a session store needs { gap }`);
  const retention = retentionOf(name, windows, options.retention);
  const output = { key: { ...sessionWindowedKey(options.key), [keyWindows]: resultWindows(options) }, value: options.value };
  return { name, output, windows, shape: windowedShape(name, 'session', options, retention) };
}

function checkDeclaration(
  name: string,
  options: { readonly key: unknown; readonly value: unknown; readonly windows: Windows | SessionWindows },
): void {
  checkTopicName(name, 'store');
  checkCodecs(name, options);
  checkWindows(options.windows, `store ${name}`, { store: name });
}

function windowedShape<K, A>(
  name: string,
  kind: StoreShape['kind'],
  options: Codecs<K, A> & Persistence & WindowsAndRetention,
  retention: Duration | undefined,
): StoreShape {
  const { key, value, persistent = true, windows } = options;
  const shape = { kind, name, key: key as Codec<unknown>, value: value as Codec<unknown>, persistent, windows };
  const { releasedAtEnd } = resultWindows(options);
  return { ...shape, ...(retention !== undefined && { retention }), ...(releasedAtEnd && { releasedAtEnd }) };
}

interface WindowsAndRetention {
  readonly windows: Windows | SessionWindows;
  readonly retention?: Duration;
}

/** The least retention, said in so many words, is that of the JVM: then suppress goes by its rule too. */
function resultWindows({ windows, retention }: WindowsAndRetention): ResultWindows {
  const hasLast = isSlidingWindows(windows) || isSessionWindows(windows);
  return { windows, releasedAtEnd: hasLast && retention !== undefined && retention === leastRetention(windows)[0] };
}

function kindOf(windows: Windows): StoreShape['kind'] {
  if (isSlidingWindows(windows)) return 'sliding';
  return isCountWindows(windows) ? 'counted' : 'window';
}

/** Undefined: windows of one's own are readable until they close, and windows that count records until they are complete. */
function retentionOf(name: string, windows: Windows | SessionWindows, given: Duration | undefined): Duration | undefined {
  if (given === undefined) return defaultRetention(windows);
  if (isCountWindows(windows)) {
    throw optionError(name, 'retention', `is ${given}; windows that count records are kept until they are complete, whatever the time`);
  }
  const [least, what] = leastRetention(windows);
  if (given === least || (Number.isSafeInteger(given) && given >= (least ?? 0))) return given;
  throw optionError(name, 'retention', `is ${given}; it must be a whole number of ms >= ${what}, which is ${least ?? 0}`);
}

/**
 * A session closes when event time is more than gap + grace past its end. The JVM's default is one ms less, which hides a session at its
 * last open instant: a record that still belongs to it then takes its place.
 */
function defaultRetention(windows: Windows | SessionWindows): Duration | undefined {
  const [least] = leastRetention(windows);
  return isSessionWindows(windows) ? least! + 1 : least;
}

function leastRetention(windows: Windows | SessionWindows): readonly [number | undefined, string] {
  if (isTimeWindows(windows)) return [windows.size + (windows.grace ?? 0), 'size + grace'];
  if (isSlidingWindows(windows)) return [2 * windows.difference + (windows.grace ?? 0), '2 x difference + grace'];
  if (isSessionWindows(windows)) return [windows.gap + (windows.grace ?? 0), 'gap + grace'];
  return [undefined, 'the least'];
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
