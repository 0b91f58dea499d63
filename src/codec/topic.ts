import { right } from 'fp-ts/Either';
import { MillraceError } from '../errors/millrace-error';
import { acceptsNull, type Codec, type Codecs, type SliceCodec } from '../model/codec';
import type { Duration } from '../model/duration';
import type { InternalTopic, KeylessCodec, Topic, TopicOptions } from '../model/topic';
import { checkTopicName } from './topic-name';

/**
 * Declares a topic: its name, codecs and options. `options` may be another topic: then its codecs and options are taken.
 * Without a key codec keys are not read: the key is null until `repartition` gives one.
 *
 * @throws TOPIC_INVALID when Kafka does not allow the name; CONFIG for options that cannot be
 * @example
 * const clicks = topic('clicks', { key: string, value: json(Click) });
 * const lateClicks = topic('late-clicks', clicks);
 */
export function topic<K, V>(name: string, options: Codecs<K, V> & TopicOptions<V>): Topic<K, V>;
/** A topic whose keys are not read. */
export function topic<V>(name: string, options: { readonly value: Codec<V> } & TopicOptions<V>): Topic<null, V>;
export function topic<K, V>(name: string, given: GivenTopic<K, V>): Topic<K, V> {
  checkTopicName(name);
  const keyless = given.key === undefined || (given.key as Codec<unknown>) === keylessCodec;
  const key = given.key ?? (keylessCodec as Codec<unknown> as Codec<K>);
  checkCodec(name, 'key', key);
  checkCodec(name, 'value', given.value);
  const options = given instanceof DeclaredTopic ? (given as DeclaredTopic<K, V>).options : optionsOf(given);
  checkOptions(name, options);
  return new DeclaredTopic<K, V>(name, key, given.value, { options, keyless }) as unknown as Topic<K, V>;
}

/**
 * Declares a topic that only `repartition` fills and reads; the application creates it as `<app>-<name>-repartition`.
 *
 * @param options `partitions`: default the largest count among what flows into it
 * @throws TOPIC_INVALID when Kafka does not allow the name; CONFIG when `partitions` is no whole number ≥ 1
 * @example
 * const clicksByPage = internalTopic('clicks-by-page', clicks);
 * stream(clicks).pipe(repartition(clicksByPage, (click) => click.page));
 */
export function internalTopic<K, V>(name: string, options: Codecs<K, V> & { readonly partitions?: number }): InternalTopic<K, V> {
  checkTopicName(name);
  checkCodec(name, 'key', options.key);
  checkCodec(name, 'value', options.value);
  const partitions = options.partitions;
  if (partitions !== undefined && (!Number.isInteger(partitions) || partitions < 1)) {
    throw optionError(name, 'partitions', `is ${partitions}; it must be a whole number ≥ 1`);
  }
  return { name, key: options.key, value: options.value, partitions } as InternalTopic<K, V>;
}

interface GivenTopic<K, V> extends TopicOptions<V> {
  readonly key?: Codec<K>;
  readonly value: Codec<V>;
}

/** The options stand behind getters: a spread of a topic takes its codecs only, which is what the types say. */
class DeclaredTopic<K, V> implements Codecs<K, V> {
  readonly name: string;
  readonly key: Codec<K>;
  readonly value: Codec<V>;
  readonly #options: TopicOptions<V>;
  readonly #keyless: boolean;

  constructor(name: string, key: Codec<K>, value: Codec<V>, more: { options: TopicOptions<V>; keyless: boolean }) {
    this.name = name;
    this.key = key;
    this.value = value;
    this.#options = more.options;
    this.#keyless = more.keyless;
  }

  get options(): TopicOptions<V> {
    return this.#options;
  }

  get keyless(): boolean {
    return this.#keyless;
  }
}

/** Stands where a topic has no key codec; nothing calls it, for the key of such a topic is null. */
const keylessCodec: KeylessCodec & SliceCodec<null> = {
  encode: () => {
    throw new MillraceError('ENCODE', 'the topic was declared without a key codec: its keys are null');
  },
  decode: () => right(null),
  [acceptsNull]: true,
};

function optionsOf<V>(given: TopicOptions<V>): TopicOptions<V> {
  const { from, timestamp, watermark, maxFuture, onDecodeError } = given;
  return {
    ...(from !== undefined && { from }),
    ...(timestamp !== undefined && { timestamp }),
    ...(watermark !== undefined && { watermark }),
    ...(maxFuture !== undefined && { maxFuture }),
    ...(onDecodeError !== undefined && { onDecodeError }),
  };
}

function checkCodec(name: string, side: 'key' | 'value', codec: unknown): void {
  const { encode, decode } = (codec ?? {}) as Partial<Codec<unknown>>;
  if (typeof encode === 'function' && typeof decode === 'function') return;
  throw optionError(name, side, 'is no codec: it needs encode and decode, as in string, int64 or json(Type)');
}

function checkOptions<V>(name: string, options: TopicOptions<V>): void {
  const { from, watermark, maxFuture } = options;
  const fromIsFine =
    from === undefined || from === 'earliest' || from === 'latest' || (from instanceof Date && !Number.isNaN(from.getTime()));
  if (!fromIsFine) throw optionError(name, 'from', `must be 'earliest', 'latest' or a valid Date`);
  if (maxFuture !== undefined) checkDuration(name, 'maxFuture', maxFuture);
  if (watermark === undefined) return;
  if (typeof watermark !== 'object' || (watermark as unknown) === null) {
    throw optionError(name, 'watermark', 'is no object; it must be { outOfOrderness } in ms, and may have an idleAfter');
  }
  checkDuration(name, 'watermark.outOfOrderness', watermark.outOfOrderness);
  if (watermark.idleAfter !== undefined) checkDuration(name, 'watermark.idleAfter', watermark.idleAfter);
}

function checkDuration(name: string, option: string, duration: Duration): void {
  if (Number.isSafeInteger(duration) && duration >= 0) return;
  throw optionError(name, option, `is ${duration}; it must be a whole number of ms ≥ 0`);
}

function optionError(name: string, option: string, problem: string): MillraceError {
  return new MillraceError('CONFIG', `topic ${name}: the option ${option} ${problem}`, { where: { topic: name, option } });
}
