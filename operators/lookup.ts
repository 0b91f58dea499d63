import type { OperatorFunction, Subscriber } from 'rxjs';
import type { KafkaRecord, Placement } from '../src/model/record';
import { FlightsOutsideTask } from '../src/state/flights-outside-task';
import { controlAtHand } from '../src/state/in-flight';
import { LookUpRecords } from './lookup/look-up-records';
import { checkLookup, type LookupFetch, type LookupOptions } from './lookup/options';
import { receiveWithStores } from './operator';

const operator = 'lookup';

/**
 * Each record with what somebody else says of it: a database, a service. Several records ask at the same time; results come in the order of
 * the records, whoever was answered first.
 *
 * ```text
 * in    --a-b---c---|       a takes five frames to answer, b one, and c's answer is in the cache
 * out   -------(ab)c|       [value, answer], with key, timestamp and headers of the record
 * ```
 * A task goes on with other records while `concurrency` of one lookup are out. It commits none of them before all have come back: when a
 * commit is due it takes no further record until then. What is out when a process dies is asked again by the next one, and so is everything
 * since the last commit after an error: questions are asked at least once, each result is written exactly once.
 *
 * An answer is passed on as it is: undefined or null means what it means there. A rejected promise, or none, is an error of its record:
 * `onProcessingError` may skip it. There are no retries; make them in `fetch`. The cache belongs to a task and is gone when the task moves. With
 * watermarks, event time stands still while records are out, at most until a commit is due.
 *
 * @throws CONFIG for an option that cannot be. In the stream: PROCESSING when `fetch` rejects, throws or gives no promise, when `id` throws, or gives
 *   an object although there is a cache; LOOKUP_TIMEOUT when the answer takes longer than `timeout`
 * @example
 * const carrierOf = async (id: string, signal: AbortSignal): Promise<Carrier | undefined> => {
 *   const answer = await fetch(`https://carriers.example/${id}`, { signal });
 *   return answer.status === 404 ? undefined : ((await answer.json()) as Carrier);
 * };
 * stream(shipments).pipe(
 *   lookup(carrierOf, { id: ({ carrierId }) => carrierId, concurrency: 20, cache: { ttl: minutes(10), max: 10_000 }, timeout: seconds(5) }),
 *   mapValues(([shipment, carrier]) => ({ ...shipment, carrier: carrier?.name ?? 'unknown' })),
 *   to(named),
 * );
 */
export function lookup<K, V, P extends Placement, I, R>(
  fetch: LookupFetch<I, R>,
  options: LookupOptions<K, V, P, NoInfer<I>>,
): OperatorFunction<KafkaRecord<K, V, P>, KafkaRecord<K, readonly [V, R], P>> {
  const checked = checkLookup(operator, options);
  return (source) => {
    const assembled = controlAtHand();
    const start = (destination: Subscriber<KafkaRecord<K, readonly [V, R], P>>): LookUpRecords<K, V, P, I, R> => {
      const control = controlAtHand() ?? assembled ?? new FlightsOutsideTask();
      return new LookUpRecords(operator, fetch, checked, control, destination);
    };
    return source.pipe(receiveWithStores<KafkaRecord<K, V, P>, KafkaRecord<K, readonly [V, R], P>>(operator, [], start));
  };
}
