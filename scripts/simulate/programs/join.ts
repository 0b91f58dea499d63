import { joinStream, to } from '../../../operators';
import { string } from '../../../src/codec/primitives';
import { topic } from '../../../src/codec/topic';
import { joinStore } from '../../../src/state/join-definition';
import type { LogRecord } from '../log';
import { add, compared, type Program, textOf } from '../program';
import { inputOf, isPoison, manyAt, someRecords } from './inputs';

const BEFORE = 2_000;
const AFTER = 3_000;
/** Beyond everything: nothing is late. */
const GRACE = 1_000_000;
const END = 100_000_000;
const clicks = inputOf('clicks');
const orders = inputOf('orders');
const pairs = topic('pairs', { key: string, value: string });
const meetings = joinStore('meetings', {
  key: string,
  left: string,
  right: string,
  windows: { before: BEFORE, after: AFTER, grace: GRACE },
});

const pair = (left: string | undefined, right: string | undefined): string => `${left ?? '-'} + ${right ?? '-'}`;

/** Joins clicks with orders in time: every pair once, and what has met nobody once alone. */
export const join: Program = {
  name: 'stream with stream',
  inputs: ['clicks', 'orders'],
  others: { pairs: 1 },
  topology: ({ stream, store }) => stream(clicks).pipe(joinStream(stream(orders), store(meetings), pair, { kind: 'outer' }), to(pairs)),
  round: ({ chance, number, write }) => {
    write(clicks, someRecords(chance, number, 6));
    write(orders, someRecords(chance, number, 6));
  },
  last: [
    ({ write }) => {
      write(clicks, manyAt(END));
      write(orders, manyAt(END + GRACE));
    },
    ({ write }) => write(clicks, manyAt(END + 2 * GRACE)),
  ],
  differences: (logs) => {
    const left = readable(logs('clicks').flat());
    const right = readable(logs('orders').flat());
    const fits = (one: LogRecord, other: LogRecord): boolean =>
      textOf(one.key) === textOf(other.key) && other.timestamp >= one.timestamp - BEFORE && other.timestamp <= one.timestamp + AFTER;
    const expected = new Map<string, number>();
    for (const one of left) {
      const others = right.filter((other) => fits(one, other));
      for (const other of others) add(expected, pair(textOf(one.value), textOf(other.value)));
      if (others.length === 0 && one.timestamp < END) add(expected, pair(textOf(one.value), undefined));
    }
    for (const other of right) {
      if (other.timestamp < END && !left.some((one) => fits(one, other))) add(expected, pair(undefined, textOf(other.value)));
    }
    const found = new Map<string, number>();
    for (const { value, timestamp } of logs('pairs').flat()) if (timestamp < END) add(found, textOf(value));
    return compared('pair', expected, found);
  },
};

function readable(records: readonly LogRecord[]): LogRecord[] {
  return records.filter(({ value }) => !isPoison(textOf(value)));
}
