import { isLeft } from 'fp-ts/Either';
import { MillraceError } from '../errors/millrace-error';
import type { Codec } from '../model/codec';
import { noOrigin, withHeaders } from '../model/origin';
import { Outgoing } from '../model/outgoing';
import type { Topic } from '../model/topic';

/** A committed output on its way from a worker to the main thread, as it is in its topic: what no codec writes does not survive. */
export interface EncodedOutput {
  readonly topic: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** ms since the epoch. */
  readonly timestamp: number;
  readonly headers: ReadonlyMap<string, Uint8Array>;
}

/** With bytes of its own: a view would take all that it looks into with it to the other thread. */
export function encodeOutput({ topic, key, value, timestamp, headers, destination }: Outgoing): EncodedOutput {
  return {
    topic,
    key: encode(destination.key, key),
    value: encode(destination.value, value),
    timestamp,
    headers: new Map([...headers].map(([name, bytes]) => [name, Uint8Array.from(bytes)])),
  };
}

/** @throws DECODE if the topic that is watched has other codecs than the one that is written. */
export function decodeOutput<K, V>(topic: Topic<K, V>, { key, value, timestamp, headers }: EncodedOutput): Outgoing<K, V> {
  const origin = withHeaders(noOrigin, headers);
  return Outgoing.of(topic, decode(topic, 'key', key) as K, decode(topic, 'value', value) as V, timestamp, origin);
}

function encode(codec: Codec<unknown>, value: unknown): Uint8Array | null {
  if (value === null || value === undefined) return null;
  const encoded = codec.encode(value);
  return typeof encoded === 'string' ? new TextEncoder().encode(encoded) : Uint8Array.from(encoded);
}

function decode<K, V>(topic: Topic<K, V>, part: 'key' | 'value', bytes: Uint8Array | null): unknown {
  if (bytes === null) return null;
  const decoded = (topic[part] as Codec<unknown>).decode(bytes);
  if (!isLeft(decoded)) return decoded.right;
  throw new MillraceError(
    'DECODE',
    `outputs("${topic.name}"): the ${part} of an output cannot be read (${decoded.left.message}): watch the topic with the codecs it is written with`,
    { cause: decoded.left, where: { topic: topic.name } },
  );
}
