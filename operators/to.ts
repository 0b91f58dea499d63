import type { OperatorFunction } from 'rxjs';
import { MillraceError } from '../src/errors/millrace-error';
import { Outgoing } from '../src/model/outgoing';
import type { KafkaRecord, Placement } from '../src/model/record';
import type { Topic } from '../src/model/topic';
import { sendInputs } from './operator';

/**
 * Sends each record to a topic, or to the one of several that `choose` gives. What a topology emits must have come through here.
 *
 * ```text
 * in   --a1---b2--|
 * out  --A----B---|      A = { topic, key: 'a', value: 1, timestamp }
 * ```
 * No state; order and timestamps stay, headers go along. Written, in the transaction of the records it came from, to the partition
 * that the key gives by murmur2.
 *
 * @param topics every topic that may be chosen: the planner checks and draws them
 * @throws PROCESSING in the stream when `choose` throws or gives a topic that is not in the list
 * @example
 * stream(clicks).pipe(to([web, mobile], (click) => (click.device === 'web' ? web : mobile)));
 */
export function to<K, V>(topic: Topic<K, V>): OperatorFunction<KafkaRecord<K, V, Placement>, Outgoing<K, V>>;
/** To the one of `topics` that `choose` gives for the record. */
export function to<K, V, T extends Topic<K, V>>(
  topics: readonly T[],
  choose: (value: V, record: KafkaRecord<K, V, Placement>) => NoInfer<T>,
): OperatorFunction<KafkaRecord<K, V, Placement>, Outgoing<K, V>>;
export function to<K, V>(
  topics: Topic<K, V> | readonly Topic<K, V>[],
  choose?: (value: V, record: KafkaRecord<K, V, Placement>) => Topic<K, V>,
): OperatorFunction<KafkaRecord<K, V, Placement>, Outgoing<K, V>> {
  if (!isList(topics)) return sendInputs('to', [topics], (record: KafkaRecord<K, V, Placement>) => outgoing(topics, record));
  if (choose === undefined) {
    throw new MillraceError('CONFIG', 'to: several topics need a function that chooses', { where: { operator: 'to', option: 'choose' } });
  }
  return sendInputs('to', topics, (record: KafkaRecord<K, V, Placement>) => {
    const topic = choose(record.value, record);
    if (!topics.includes(topic)) throw notInTheList(topic, topics);
    return outgoing(topic, record);
  });
}

function outgoing<K, V>(topic: Topic<K, V>, record: KafkaRecord<K, V, Placement>): Outgoing<K, V> {
  return Outgoing.of(topic, record.key, record.value, record.timestamp, record.origin);
}

function isList<T>(topics: Topic<never, never> | T | readonly T[]): topics is readonly T[] {
  return Array.isArray(topics);
}

function notInTheList(topic: { readonly name: string } | undefined, topics: readonly { readonly name: string }[]): Error {
  const listed = topics.map(({ name }) => name).join(', ');
  return new Error(`the topic ${topic?.name ?? 'undefined'} was chosen, but the list holds only ${listed}; add it to the list`);
}
