import { countWithStore, to, windowHopping } from '../../../operators';
import { int64, string } from '../../../src/codec/primitives';
import { topic } from '../../../src/codec/topic';
import { windowStore } from '../../../src/state/definition';
import type { LogRecord } from '../log';
import { compared, int64Of, type Program, textOf } from '../program';
import { inputOf, isPoison, oneOfEach, someRecords } from './inputs';

const SIZE = 12_000;
const ADVANCE = 3_000;
const GRACE = 1_000;
/** Before and after it nothing is in one window: the last records leave none of the others visible. */
const END = 10_000_000;
const input = inputOf('input');
const counts = windowStore('overlapping', { key: string, value: int64, windows: { size: SIZE, advance: ADVANCE, grace: GRACE } });
const results = topic('results', counts.output);

/** Counts by key and window, where a record lies in four windows at once; each count goes out when it changes. */
export const hopping: Program = {
  name: 'hopping windows',
  inputs: ['input'],
  others: { results: 2 },
  topology: ({ stream, store }) =>
    stream(input).pipe(windowHopping({ size: SIZE, advance: ADVANCE, grace: GRACE }), countWithStore(store(counts)), to(results)),
  round: ({ chance, number, write }) => write(input, someRecords(chance, number, 10)),
  last: [({ write }) => write(input, oneOfEach(END))],
  differences: (logs) => {
    const expected = new Map<string, number[]>();
    for (const partition of logs('input')) {
      for (const [window, count] of countsOf(partition)) {
        const upTo = Array.from({ length: count }, (_, at) => at + 1);
        expected.set(window, upTo);
      }
    }
    const found = new Map<string, number[]>();
    for (const { key, value } of logs('results').flat()) {
      const window = `${textOf(key!.subarray(0, -8))}@${Number(key!.readBigInt64BE(key!.length - 8))}`;
      found.set(window, [...(found.get(window) ?? []), int64Of(value)]);
    }
    return compared('window', expected, found);
  },
};

/** In the order of the log; what is late for a window is not counted in it. */
function countsOf(records: readonly LogRecord[]): Map<string, number> {
  const found = new Map<string, number>();
  let streamTime = -Infinity;
  for (const { key, value, timestamp } of records) {
    if (isPoison(textOf(value))) continue;
    streamTime = Math.max(streamTime, timestamp);
    for (let start = timestamp - (timestamp % ADVANCE); start >= 0 && start + SIZE > timestamp; start -= ADVANCE) {
      if (start + SIZE + GRACE <= streamTime) continue;
      const window = `${textOf(key)}@${start}`;
      found.set(window, (found.get(window) ?? 0) + 1);
    }
  }
  return found;
}
