/** Clicks joined with orders of the same user, through internal topics, and what a loop over all pairs gives. */
import { joinStream, type JoinKind, to } from '../../operators';
import { string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import type { KafkaRecord } from '../../src/model/record';
import { joinStore } from '../../src/state/join-definition';
import type { Topology } from '../../src/task/topology';
import type { Chance } from './chance';
import { keysOf, record } from './programs';
import { APP, type World } from './world';

export const PARTITIONS = 3;
export const SECOND = 1_000;

/** Keys are ids, so that a user's records lie anywhere; values begin with the user. */
export const clicks = topic('clicks', { key: string, value: string });
export const orders = topic('orders', { key: string, value: string });
const clicksByUser = internalTopic('clicks-by-user', clicks);
const ordersByUser = internalTopic('orders-by-user', orders);
export const results = topic('results', { key: string, value: string });
export const attribution = joinStore('attribution', {
  key: string,
  left: string,
  right: string,
  windows: { before: 2 * SECOND, after: 10 * SECOND, grace: 3_600 * SECOND },
});

const userOf = (value: string): string => value.split(' ')[0]!;
export const pair = (left: string | undefined, right: string | undefined): string => `${left ?? '-'} + ${right ?? '-'}`;

/** Joins clicks with orders of the same user. */
export const attributing =
  (kind: JoinKind): Topology =>
  ({ stream, store, repartition }) =>
    stream(clicks).pipe(
      repartition(clicksByUser, userOf),
      joinStream(stream(orders).pipe(repartition(ordersByUser, userOf)), store(attribution), pair, { kind: kind as 'outer' }),
      to(results),
    );

const users = [0, 1, 2].flatMap((partition) => keysOf(partition, PARTITIONS, 3));
type Text = KafkaRecord<string, string>;

export interface Streams {
  readonly left: readonly Text[];
  readonly right: readonly Text[];
}

/** Out of order by up to 5 s, within a minute. */
export function someRecords(chance: Chance, count: number): Streams {
  const some = (name: string): Text[] =>
    Array.from({ length: count }, (_, at) => {
      const time = Math.max(0, Math.floor((60 * SECOND * at) / count) - chance.below(5 * SECOND));
      return record(`${name}${at}`, `${users[chance.below(users.length)]!} ${name}${at}`, time);
    });
  return { left: some('click'), right: some('order') };
}

/** At this time every row of the others has closed. */
const END = 10 * 3_600 * SECOND;
export const last = users.map((user, at) => record(`last${at}`, `${user} last`, END));

/** All pairs, and what has none. */
export function expectedPairs({ left, right }: Streams, kind: JoinKind): string[] {
  const { before, after } = attribution.windows;
  const fits = (one: Text, other: Text): boolean =>
    userOf(one.value) === userOf(other.value) && other.timestamp >= one.timestamp - before && other.timestamp <= one.timestamp + after;
  const pairs = left.flatMap((one) => right.filter((other) => fits(one, other)).map((other) => pair(one.value, other.value)));
  const lonelyLeft = left.filter((one) => !right.some((other) => fits(one, other))).map(({ value }) => pair(value, undefined));
  const lonelyRight = right.filter((other) => !left.some((one) => fits(one, other))).map(({ value }) => pair(undefined, value));
  return [...pairs, ...(kind === 'inner' ? [] : lonelyLeft), ...(kind === 'outer' ? lonelyRight : [])].sort();
}

/** Settles when everything written has been sent on, and what was sent on to the join is taken up. */
export async function joinedAll(world: World, withinMs?: number): Promise<void> {
  const through = (name: string, markers: number): boolean =>
    Array.from({ length: PARTITIONS }, (_, partition) => partition).every((partition) => {
      const { highWatermark } = world.broker.partition({ topic: name, partition })!;
      return (world.committed(name, partition)?.offset ?? 0) >= highWatermark - markers;
    });
  await world.until(() => through('clicks', 0) && through('orders', 0), withinMs);
  // The last offset may be a marker's.
  await world.until(() => [clicksByUser, ordersByUser].every(({ name }) => through(`${APP}-${name}-repartition`, 1)), withinMs);
}
