import { noOrigin, type Origin } from '../model/origin';
import { Outgoing } from '../model/outgoing';
import { KafkaRecord } from '../model/record';
import type { Topic } from '../model/topic';

/**
 * A record as an operator meets it, but from no broker.
 *
 * @param timestamp event time, ms since the epoch
 * @param headers bytes, or texts that become UTF-8
 * @example record('ada', { page: '/' }, 1000)
 */
export function record<K, V>(
  key: K,
  value: V,
  timestamp: number,
  headers?: Readonly<Record<string, string | Uint8Array>>,
): KafkaRecord<K, V> {
  return KafkaRecord.of(key, value, timestamp, headers === undefined ? noOrigin : originWith(headers));
}

/**
 * What a topology is expected to emit: compare with `toEqual`, or in a marble diagram.
 *
 * @example expectObservable(counted).toBe('-x', { x: outgoing(clickCounts, 'ada', 1, 1000) })
 */
export function outgoing<K, V>(topic: Topic<K, V>, key: NoInfer<K>, value: NoInfer<V>, timestamp: number): Outgoing<K, V> {
  return Outgoing.of<K, V>(topic, key, value, timestamp, noOrigin);
}

function originWith(headers: Readonly<Record<string, string | Uint8Array>>): Origin {
  const entries = Object.entries(headers).map(([name, value]): [string, Uint8Array] => [
    name,
    typeof value === 'string' ? Buffer.from(value, 'utf8') : value,
  ]);
  return { ...noOrigin, headers: new Map(entries) };
}
