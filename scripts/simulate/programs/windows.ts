import { countWithStore, to, windowTumbling } from '../../../operators';
import { int64, string } from '../../../src/codec/primitives';
import { topic } from '../../../src/codec/topic';
import { windowStore } from '../../../src/state/definition';
import type { LogRecord } from '../log';
import { compared, int64Of, type Program, textOf } from '../program';
import { inputOf, isPoison, manyAt, oneOfEach, someRecords } from './inputs';

const SIZE = 10_000;
const GRACE = 2_000;
const END = 10_000_000;
const input = inputOf('input');
const counts = windowStore('window-counts', { key: string, value: int64, windows: { size: SIZE, grace: GRACE } });
const results = topic('results', counts.output);

/** Counts by key and window; each count goes out once, when its window closes. What closes when follows from the order in the log. */
export const windows: Program = {
  name: 'counted windows',
  inputs: ['input'],
  others: { results: 2 },
  topology: ({ stream, store }) =>
    stream(input).pipe(windowTumbling({ size: SIZE, grace: GRACE }), countWithStore(store(counts), { emit: 'close' }), to(results)),
  round: ({ chance, number, write }) => write(input, someRecords(chance, number, 12)),
  last: [({ write }) => write(input, oneOfEach(END)), ({ write }) => write(input, manyAt(END + 2 * SIZE + GRACE))],
  differences: (logs) => {
    const expected = new Map<string, number[]>();
    for (const partition of logs('input')) for (const [window, count] of closedWindows(partition)) expected.set(window, [count]);
    const found = new Map<string, number[]>();
    for (const { key, value } of logs('results').flat()) {
      const window = `${textOf(key!.subarray(0, -8))}@${int64Of(key)}`;
      found.set(window, [...(found.get(window) ?? []), int64Of(value)]);
    }
    return compared('window', expected, found);
  },
};

/** In the order of the log: what is late is left out, and what has closed is given. */
function closedWindows(records: readonly LogRecord[]): Map<string, number> {
  const open = new Map<string, { start: number; count: number }>();
  let eventTime = -Infinity;
  for (const { key, value, timestamp } of records) {
    if (isPoison(textOf(value))) continue;
    eventTime = Math.max(eventTime, timestamp);
    const start = timestamp - (timestamp % SIZE);
    if (start + SIZE + GRACE <= eventTime) continue;
    const window = `${textOf(key)}@${start}`;
    const { count } = open.get(window) ?? { count: 0 };
    open.set(window, { start, count: count + 1 });
  }
  const closed = [...open].filter(([, { start }]) => start + SIZE + GRACE <= eventTime);
  return new Map(closed.map(([window, { count }]) => [window, count]));
}
