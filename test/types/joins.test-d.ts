/** Joins of streams as programs write them, and what types must catch: each line below an expected error must not compile. */
import * as t from 'io-ts';
import { map } from 'rxjs';
import {
  float64,
  internalTopic,
  joinStore,
  type JoinStore,
  joinStream,
  json,
  type KafkaRecord,
  type LateJoinRecord,
  minutes,
  nullable,
  selectKey,
  string,
  type Task,
  to,
  topic,
  type Topology,
} from 'millrace';
import { memoryStore } from 'millrace/testing';

const Click = t.type({ user: t.string, page: t.string });
const Order = t.type({ id: t.string });
const clicks = topic('clicks', { key: string, value: json(Click) });
const orders = topic('orders', { key: string, value: json(Order) });
const numbered = topic('numbered', { key: float64, value: json(Order) });
const byPage = internalTopic('by-page', clicks);
const withinTheHour = { before: 0, after: minutes(60), grace: minutes(1) };
const attribution = joinStore('attribution', { key: string, left: json(Click), right: json(Order), windows: withinTheHour });
const attributed = topic('attributed', { key: string, value: json(t.type({ page: t.string, order: t.string })) });
const pages = topic('pages', { key: string, value: string });

export const clickToPurchase: Topology = ({ stream, store }) =>
  stream(clicks).pipe(
    joinStream(stream(orders), store(attribution), (click, order) => ({ page: click.page, order: order.id })),
    to(attributed),
  );

export const withoutOrders: Topology = ({ stream, store }) =>
  stream(clicks).pipe(
    joinStream(stream(orders), store(attribution), (click, order) => ({ page: click.page, order: order?.id ?? 'none' }), { kind: 'left' }),
    to(attributed),
  );

export const either: Topology = ({ stream, store }) =>
  stream(clicks).pipe(
    joinStream(stream(orders), store(attribution), (click, order) => ({ page: click?.page ?? 'none', order: order?.id ?? 'none' }), {
      kind: 'outer',
      late: {
        next: (late: LateJoinRecord<string, t.TypeOf<typeof Click>, t.TypeOf<typeof Order>>) => {
          if (late.side === 'left') late.record.value.page satisfies string;
          else late.record.value.id satisfies string;
        },
      },
    }),
    to(attributed),
  );

export const rekeyed: Topology = ({ stream, store, repartition }) =>
  stream(clicks).pipe(
    repartition(byPage, (click) => click.page),
    joinStream(stream(orders), store(attribution), (click) => click.page),
    to(pages),
  );

export function itself({ stream, store }: Task): unknown {
  const pairs = joinStore('pairs', { key: string, left: json(Click), right: json(Click), windows: withinTheHour });
  const all = stream(clicks);
  return all.pipe(joinStream(all, store(pairs), (one, other) => [one.page, other.page]));
}

export function ofNullableKeys({ stream, store }: Task): unknown {
  const anonymous = topic('anonymous', { key: nullable(string), value: json(Click) });
  const pairs = joinStore('pairs', { key: nullable(string), left: json(Click), right: json(Click), windows: withinTheHour });
  return stream(anonymous).pipe(
    joinStream(stream(anonymous), store(pairs), (one) => one.page, { kind: 'left' }),
    map((record): KafkaRecord<string | null, string> => record),
  );
}

export function keysOfTwoKinds({ stream, store }: Task): unknown {
  return stream(clicks).pipe(
    // @ts-expect-error keys of the two sides differ
    joinStream(stream(numbered), store(attribution), (click, order) => click.page + order.id),
  );
}

export function keysOfTheOtherSide({ stream, store }: Task): unknown {
  return stream(numbered).pipe(
    // @ts-expect-error the source's keys are no keys of the store
    joinStream(stream(orders), store(attribution), (click) => click.page),
  );
}

export function sidesSwapped({ stream, store }: Task): unknown {
  return stream(orders).pipe(
    // @ts-expect-error clicks are on the left of this store
    joinStream(stream(clicks), store(attribution), (click) => click.page),
  );
}

// @ts-expect-error a store with its sides swapped is another store
export const swapped: JoinStore<string, t.TypeOf<typeof Order>, t.TypeOf<typeof Click>> = memoryStore(attribution);

export function moved({ stream, store }: Task): unknown {
  return stream(clicks).pipe(
    // @ts-expect-error re-keyed but not repartitioned
    selectKey((click) => click.page),
    joinStream(stream(orders), store(attribution), (click) => click.page),
  );
}

export function movedOther({ stream, store }: Task): unknown {
  // @ts-expect-error the other side is re-keyed but not repartitioned
  return stream(clicks).pipe(joinStream(stream(orders).pipe(selectKey(({ id }) => id)), store(attribution), (click) => click.page));
}

export function forgottenUndefined({ stream, store }: Task): unknown {
  return stream(clicks).pipe(
    // @ts-expect-error in a left join there may be no order
    joinStream(stream(orders), store(attribution), (click, order) => click.page + order.id, { kind: 'left' }),
  );
}

export function forgottenLeft({ stream, store }: Task): unknown {
  return stream(clicks).pipe(
    // @ts-expect-error in an outer join there may be no click
    joinStream(stream(orders), store(attribution), (click: t.TypeOf<typeof Click>) => click.page, { kind: 'outer' }),
  );
}

// @ts-expect-error a window of a join has both ends
export const halfWindow = joinStore('half', { key: string, left: string, right: string, windows: { after: minutes(1) } });
