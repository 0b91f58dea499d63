import { mapValues, to } from '../../../operators';
import { string } from '../../../src/codec/primitives';
import { topic } from '../../../src/codec/topic';
import type { LogRecord } from '../log';
import { add, compared, type Program, textOf } from '../program';
import { inputOf, isPoison, oneOfEach, someRecords } from './inputs';

const input = inputOf('input', { from: new Date(0) });
const results = topic('results', { key: string, value: string });

/** A copy, of a topic that loses its beginning now and then, read or not: what is there goes out once, what is not at most once. */
export const retention: Program = {
  name: 'retention',
  inputs: ['input'],
  others: { results: 2 },
  topology: ({ stream }) =>
    stream(input).pipe(
      mapValues((value) => value),
      to(results),
    ),
  round: ({ chance, number, write, truncate }) => {
    write(input, someRecords(chance, number, 8));
    if (chance.below(3) === 0) truncate(input);
  },
  last: [({ write }) => write(input, oneOfEach(1_000_000))],
  differences: (logs) => {
    const expected = new Map<string, number>();
    const isReadable = ({ value }: LogRecord): boolean => !isPoison(textOf(value));
    for (const { value } of logs('input').flat().filter(isReadable)) add(expected, textOf(value));
    const found = new Map<string, number>();
    for (const { value } of logs('results').flat()) add(found, textOf(value));
    const gone = [...found].filter(([value, count]) => !expected.has(value) && count === 1);
    for (const [value] of gone) found.delete(value);
    return compared('record', expected, found);
  },
};
