import { merge } from 'rxjs';
import { countWithStore, to } from '../../../operators';
import { int64, string } from '../../../src/codec/primitives';
import { topic } from '../../../src/codec/topic';
import type { KeyValueDefinition } from '../../../src/model/store-definition';
import { keyValueStore } from '../../../src/state/definition';
import type { Topology } from '../../../src/task/topology';
import { add, changelog, compared, int64Of, latest, type Program, textOf } from '../program';
import { inputOf, isPoison, oneOfEach, someRecords } from './inputs';

type Counts = KeyValueDefinition<string, number>;

const input = inputOf('input');
const countsIn = (name: string): Counts => keyValueStore(name, { key: string, value: int64 });
const counts = countsIn('counts');
const results = topic('results', counts.output);
const sides = topic('sides', counts.output);

const counting =
  (side: Counts): Topology =>
  ({ stream, store }) => {
    const records = stream(input);
    return merge(records.pipe(countWithStore(store(counts)), to(results)), records.pipe(countWithStore(store(side)), to(sides)));
  };

/**
 * Counts each key in one store that stays, and in one that the next deploy replaces by another. Both deploys are at work at once, and tasks
 * go to and fro between them: each record is counted in one of the two, once.
 */
export const redeploy: Program = {
  name: 'redeploy',
  inputs: ['input'],
  others: { results: 2, sides: 2 },
  topology: counting(countsIn('before')),
  next: counting(countsIn('after')),
  round: ({ chance, number, write }) => write(input, someRecords(chance, number, 10)),
  last: [({ write }) => write(input, oneOfEach(1_000_000))],
  differences: (logs) => {
    const expected = new Map<string, number>();
    for (const { key, value } of logs('input').flat()) if (!isPoison(textOf(value))) add(expected, textOf(key));
    const upTo = new Map([...expected].map(([key, count]) => [key, Array.from({ length: count }, (_, at) => at + 1)]));
    const found = new Map<string, number[]>();
    for (const { key, value } of logs('results').flat()) found.set(textOf(key), [...(found.get(textOf(key)) ?? []), int64Of(value)]);
    const beside = new Map<string, number>();
    for (const { key } of logs('sides').flat()) add(beside, textOf(key));
    const stored = new Map<string, number>();
    for (const store of ['before', 'after'])
      for (const partition of logs(changelog(store))) for (const [key, value] of latest(partition)) add(stored, key, int64Of(value));
    return [
      ...compared('results', upTo, found),
      ...compared('sides', expected, beside),
      ...compared('stores before and after', expected, stored),
    ];
  },
};
