import { map, merge, Subject } from 'rxjs';
import { countWithStore, type LateRecord, to, windowTumbling } from '../../../operators';
import { int64, string } from '../../../src/codec/primitives';
import { internalTopic, topic } from '../../../src/codec/topic';
import { windowStore } from '../../../src/state/definition';
import { add, compared, int64Of, type Program, textOf } from '../program';
import { colourOf, inputOf, isPoison, manyAt, someRecords } from './inputs';

const SIZE = 10_000;
const END = 100_000_000;
const input = inputOf('input', { watermark: { outOfOrderness: 5_000, idleAfter: 700 } });
const byColour = internalTopic('by-colour', { key: string, value: string });
const counts = windowStore('window-counts', { key: string, value: int64, windows: { size: SIZE } });
const results = topic('results', counts.output);
const late = topic('late', { key: string, value: string });

/**
 * Counts by colour behind a repartition, in watermark mode: partitions fall silent and speak again. What is late depends on who was silent
 * when; yet each window closes once, and every record is either in it or among the late ones.
 */
export const watermarks: Program = {
  name: 'watermarks',
  inputs: ['input'],
  others: { results: 2, late: 1 },
  topology: ({ stream, store, repartition }) => {
    const lates = new Subject<LateRecord<string, string>>();
    const closed = stream(input).pipe(
      repartition(byColour, colourOf),
      windowTumbling({ size: SIZE }),
      countWithStore(store(counts), { emit: 'close', late: lates }),
      to(results),
    );
    return merge(
      closed,
      lates.pipe(
        map(({ record }) => record),
        to(late),
      ),
    );
  },
  round: ({ chance, number, write }) => write(input, someRecords(chance, number, 8)),
  last: [({ write }) => write(input, manyAt(END))],
  differences: (logs) => {
    const windowOf = (colour: string, timestamp: number): string => `${colour}@${timestamp - (timestamp % SIZE)}`;
    const expected = new Map<string, number>();
    for (const { value, timestamp } of logs('input').flat()) {
      if (!isPoison(textOf(value)) && timestamp < END) add(expected, windowOf(colourOf(textOf(value)), timestamp));
    }
    const found = new Map<string, number>();
    const closings = new Map<string, number>();
    for (const { key, value } of logs('results').flat()) {
      const window = `${textOf(key!.subarray(0, -8))}@${int64Of(key)}`;
      add(found, window, int64Of(value));
      add(closings, window);
    }
    for (const { key, timestamp } of logs('late').flat()) add(found, windowOf(textOf(key), timestamp));
    const twice = [...closings].filter(([, count]) => count > 1).map(([window]) => `${window} has closed twice`);
    return [...compared('window', expected, found), ...twice];
  },
};
