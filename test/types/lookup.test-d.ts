/** Lookups as programs write them, and what types must catch: each line below an expected error must not compile. */
import * as t from 'io-ts';
import { json, type KafkaRecord, lookup, mapValues, minutes, seconds, selectKey, string, to, topic, type Topology } from 'millrace';
import type { Observable } from 'rxjs';

const Shipment = t.type({ carrierId: t.string, weight: t.number });
const shipments = topic('shipments', { key: string, value: json(Shipment) });
const named = topic('named-shipments', { key: string, value: string });

interface Carrier {
  readonly name: string;
}
declare const carrierOf: (id: string, signal: AbortSignal) => Promise<Carrier | undefined>;
declare const nameOf: (id: string) => Promise<string>;

export const enriched: Topology = ({ stream }) =>
  stream(shipments).pipe(
    lookup(carrierOf, { id: ({ carrierId }) => carrierId, concurrency: 20, cache: { ttl: minutes(10), max: 10_000 }, timeout: seconds(5) }),
    mapValues(([shipment, carrier]) => `${shipment.weight} ${carrier?.name ?? 'unknown'}`),
    to(named),
  );

export const byKey: Topology = ({ stream }) =>
  stream(shipments).pipe(
    lookup(nameOf, { id: (_, { key }) => key }),
    mapValues(([, name]) => name),
    to(named),
  );

export function mistakes(source: Observable<KafkaRecord<string, t.TypeOf<typeof Shipment>>>): void {
  // @ts-expect-error an answer that may be missing has no name for certain
  source.pipe(lookup(carrierOf, { id: ({ carrierId }) => carrierId })).pipe(mapValues(([, carrier]) => carrier.name));
  // @ts-expect-error the weight is no id of a carrier
  source.pipe(lookup(carrierOf, { id: ({ weight }) => weight }));
  // @ts-expect-error what to ask for is never guessed
  source.pipe(lookup(nameOf, {}));
  // @ts-expect-error a cache has bounds
  source.pipe(lookup(nameOf, { id: ({ carrierId }) => carrierId, cache: { ttl: minutes(1) } }));
  // @ts-expect-error a function that answers at once is a mapValues
  source.pipe(lookup((id: string) => id.length, { id: ({ carrierId }) => carrierId }));
  const moved = source.pipe(
    selectKey(({ carrierId }) => carrierId),
    lookup(nameOf, { id: ({ carrierId }) => carrierId }),
  );
  moved satisfies Observable<KafkaRecord<string, readonly [t.TypeOf<typeof Shipment>, string], 'moved'>>;
  // @ts-expect-error looking something up places no record
  moved satisfies Observable<KafkaRecord<string, readonly [t.TypeOf<typeof Shipment>, string], 'placed'>>;
}
