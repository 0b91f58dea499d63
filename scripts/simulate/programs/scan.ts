import { processWithStore, to } from '../../../operators';
import { int64, string } from '../../../src/codec/primitives';
import { topic } from '../../../src/codec/topic';
import type { KafkaRecord } from '../../../src/model/record';
import { keyValueStore } from '../../../src/state/definition';
import { add, compared, int64Of, type Program, textOf } from '../program';
import { inputOf, isPoison, oneOfEach, someRecords } from './inputs';

const input = inputOf('input');
const results = topic('results', { key: string, value: int64 });
const counts = keyValueStore('counts', { key: string, value: int64 });

/** Counts by key, and with each record walks through all counts of its task: their sum is how many records there were. */
export const scan: Program = {
  name: 'scan',
  inputs: ['input'],
  others: { results: 2 },
  topology: ({ stream, store }) =>
    stream(input).pipe(
      processWithStore(
        { counts: store(counts) },
        {
          record: async (record, stores): Promise<KafkaRecord<string, number>[]> => {
            stores.counts.put(record.key, (stores.counts.get(record.key) ?? 0) + 1);
            let sum = 0;
            for await (const [, count] of stores.counts.range()) sum += count;
            return [record.withValue(sum)];
          },
        },
      ),
      to(results),
    ),
  round: ({ chance, number, write }) => write(input, someRecords(chance, number, 8)),
  last: [({ write }) => write(input, oneOfEach(1_000_000))],
  differences: (logs) => {
    const expected = new Map<string, number>();
    for (const partition of logs('input')) {
      const readable = partition.filter(({ value }) => !isPoison(textOf(value)));
      readable.forEach((_, at) => add(expected, `sum ${at + 1}`));
    }
    const found = new Map<string, number>();
    for (const { value } of logs('results').flat()) add(found, `sum ${int64Of(value)}`);
    return compared('how often', expected, found);
  },
};
