import { lookup as lookUp, mapWithStore, to } from '../../../operators';
import { int64, string } from '../../../src/codec/primitives';
import { topic } from '../../../src/codec/topic';
import { keyValueStore } from '../../../src/state/definition';
import { whoseTurn } from '../instance';
import { compared, type Program, textOf } from '../program';
import { colourOf, inputOf, isPoison, oneOfEach, someRecords } from './inputs';

const input = inputOf('input');
const numbers = keyValueStore('numbers', { key: string, value: int64 });
const results = topic('results', { key: string, value: string });

/** Asks outside for each record's colour, several at a time, and numbers what comes back: once each, in the order of the log. */
export const lookup: Program = {
  name: 'lookup',
  inputs: ['input'],
  others: { results: 2 },
  topology: ({ stream, store }) =>
    stream(input).pipe(
      lookUp((colour: string) => whoseTurn()!.answerLater(`${colour}!`), { id: colourOf, concurrency: 3, timeout: 60_000 }),
      mapWithStore(store(numbers), {
        initial: () => 0,
        step: (count, [value, colour]) => [count + 1, `${value} ${colour} ${count + 1}`],
      }),
      to(results),
    ),
  round: ({ chance, number, write }) => write(input, someRecords(chance, number, 8)),
  last: [({ write }) => write(input, oneOfEach(1_000_000))],
  differences: (logs) => {
    const expected = new Map<string, string[]>();
    for (const { key, value } of logs('input').flat()) {
      const text = textOf(value);
      if (isPoison(text)) continue;
      const before = expected.get(textOf(key)) ?? [];
      expected.set(textOf(key), [...before, `${text} ${colourOf(text)}! ${before.length + 1}`]);
    }
    const found = new Map<string, string[]>();
    for (const { key, value } of logs('results').flat()) found.set(textOf(key), [...(found.get(textOf(key)) ?? []), textOf(value)]);
    return compared('results', expected, found);
  },
};
