/** Tables with a history and joins that wait, as programs write them, and what types must catch: each line below an expected error must not compile. */
import * as t from 'io-ts';
import {
  bufferStore,
  type BufferStore,
  hours,
  internalTopic,
  joinTable,
  json,
  minutes,
  selectKey,
  string,
  type Task,
  to,
  topic,
  type Topology,
  toTable,
  versionedStore,
} from 'millrace';
import { memoryStore } from 'millrace/testing';

const Order = t.type({ product: t.string, amount: t.number });
const Price = t.type({ cents: t.number });
const orders = topic('orders', { key: string, value: json(Order) });
const prices = topic('prices', { key: string, value: json(Price) });
const priceChanges = internalTopic('price-changes', prices);
const totals = topic('totals', { key: string, value: json(t.type({ cents: t.number })) });
const priceVersions = versionedStore('price-versions', { key: string, value: json(Price), history: hours(1) });
const waitingOrders = bufferStore('waiting-orders', { key: string, value: json(Order) });
const waitingPrices = bufferStore('waiting-prices', { key: string, value: json(Price) });

export const asOf: Topology = ({ stream, table }) =>
  stream(orders).pipe(
    joinTable(table(prices, { history: hours(1) }), (order, price) => ({ cents: order.amount * price.cents })),
    to(totals),
  );

export const inTime: Topology = ({ stream, table, store }) =>
  stream(orders).pipe(
    joinTable(table(prices, { history: hours(1) }), (order, price) => ({ cents: order.amount * price.cents }), {
      grace: minutes(1),
      buffer: store(waitingOrders),
    }),
    to(totals),
  );

export const leftInTime: Topology = ({ stream, store, repartition }) =>
  stream(orders).pipe(
    joinTable(
      toTable(stream(prices).pipe(selectKey(({ cents }) => String(cents)), repartition(priceChanges)), store(priceVersions)), // prettier-ignore
      (order, price) => ({ cents: order.amount * (price?.cents ?? 0) }),
      { kind: 'left', grace: minutes(1), buffer: store(waitingOrders) },
    ),
    to(totals),
  );

export function versions({ store }: Task): void {
  const handle = store(priceVersions);
  handle.get('a') satisfies { readonly cents: number } | undefined;
  handle.get('a', 1_000) satisfies { readonly cents: number } | undefined;
  handle.put('a', null, 1_000);
  handle.put('a', { cents: 1 });
  // @ts-expect-error no price
  handle.put('a', { euros: 1 });
}

export function forgotten({ stream, table, store }: Task): unknown {
  const rows = table(prices, { history: hours(1) });
  const waiting = store(waitingOrders);
  return [
    // @ts-expect-error records wait, but nothing says in what
    stream(orders).pipe(joinTable(rows, (order) => order.product, { grace: 1 })),
    // @ts-expect-error a buffer, but nothing says for how long
    stream(orders).pipe(joinTable(rows, (order) => order.product, { buffer: waiting })),
    // @ts-expect-error the row may be missing
    stream(orders).pipe(joinTable(rows, (order, price) => order.amount * price.cents, { kind: 'left', grace: 1, buffer: waiting })),
    // @ts-expect-error other values wait in this one
    stream(orders).pipe(joinTable(rows, (order) => order.product, { grace: 1, buffer: store(waitingPrices) })),
    // @ts-expect-error a history has a length
    table(prices, { history: 'long' }),
  ];
}

// @ts-expect-error a buffer of narrower values is another buffer
export const wider: BufferStore<string, unknown> = memoryStore(waitingOrders);

export function otherStore({ stream, store }: Task): unknown {
  // @ts-expect-error no table is kept in a buffer
  return toTable(stream(orders), store(waitingOrders));
}
