import { countWithStore, mapWithStore, to } from '../../../operators';
import { int64, string } from '../../../src/codec/primitives';
import { internalTopic, topic } from '../../../src/codec/topic';
import { keyValueStore } from '../../../src/state/definition';
import { add, changelog, compared, int64Of, latest, type Program, textOf } from '../program';
import { colourOf, inputOf, isPoison, oneOfEach, someRecords } from './inputs';

const input = inputOf('input');
const numbers = keyValueStore('numbers', { key: string, value: int64 });
/** In memory: whoever opens its task reads the whole changelog. */
const counts = keyValueStore('counts', { key: string, value: int64, persistent: false });
const byColour = internalTopic('by-colour', { key: string, value: string });
const results = topic('results', counts.output);

/** Numbers the records of each key, then counts them by colour behind a repartition: each count goes out once. */
export const repartition: Program = {
  name: 'repartition',
  inputs: ['input'],
  others: { results: 2 },
  topology: ({ stream, store, repartition: through }) =>
    stream(input).pipe(
      mapWithStore(store(numbers), { initial: () => 0, step: (count, value) => [count + 1, `${value} ${count + 1}`] }),
      through(byColour, colourOf),
      countWithStore(store(counts)),
      to(results),
    ),
  round: ({ chance, number, write }) => write(input, someRecords(chance, number, 12)),
  last: [({ write }) => write(input, oneOfEach(1_000_000))],
  differences: (logs) => {
    const keys = new Map<string, number>();
    const colours = new Map<string, number>();
    for (const { key, value } of logs('input').flat()) {
      if (isPoison(textOf(value))) continue;
      add(keys, textOf(key));
      add(colours, colourOf(textOf(value)));
    }
    const upTo = new Map([...colours].map(([colour, count]) => [colour, Array.from({ length: count }, (_, at) => at + 1)]));
    const found = new Map<string, number[]>();
    for (const partition of logs('results')) {
      for (const { key, value } of partition) found.set(textOf(key), [...(found.get(textOf(key)) ?? []), int64Of(value)]);
    }
    const stateOf = (store: string): Map<string, number> =>
      new Map(logs(changelog(store)).flatMap((records) => [...latest(records)].map(([key, value]) => [key, int64Of(value)] as const)));
    return [
      ...compared('results', upTo, found),
      ...compared('store counts', colours, stateOf('counts')),
      ...compared('store numbers', keys, stateOf('numbers')),
    ];
  },
};
