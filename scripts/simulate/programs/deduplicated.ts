import { deduplicate, to } from '../../../operators';
import { int64, string } from '../../../src/codec/primitives';
import { topic } from '../../../src/codec/topic';
import { keyValueStore } from '../../../src/state/definition';
import { compared, type Program, textOf } from '../program';
import { colourOf, inputOf, isPoison, oneOfEach, someRecords } from './inputs';

const input = inputOf('input');
const seen = keyValueStore('seen', { key: string, value: int64 });
const results = topic('results', { key: string, value: string });
/** Longer than a run's event time. */
const WITHIN = 1_000_000_000;

/** Of each key and colour the first record, in the order of the log. */
export const deduplicated: Program = {
  name: 'deduplicate',
  inputs: ['input'],
  others: { results: 2 },
  topology: ({ stream, store }) => stream(input).pipe(deduplicate(store(seen), { within: WITHIN, id: colourOf }), to(results)),
  round: ({ chance, number, write }) => write(input, someRecords(chance, number, 10)),
  last: [({ write }) => write(input, oneOfEach(1_000_000))],
  differences: (logs) => {
    const expected = new Map<string, string[]>();
    for (const { key, value } of logs('input').flat()) {
      const id = `${textOf(key)} ${colourOf(textOf(value))}`;
      if (!isPoison(textOf(value)) && !expected.has(id)) expected.set(id, [textOf(value)]);
    }
    const found = new Map<string, string[]>();
    for (const { key, value } of logs('results').flat()) {
      const id = `${textOf(key)} ${colourOf(textOf(value))}`;
      found.set(id, [...(found.get(id) ?? []), textOf(value)]);
    }
    return compared('first', expected, found);
  },
};
