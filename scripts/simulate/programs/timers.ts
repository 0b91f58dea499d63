import { processWithStore, to } from '../../../operators';
import { int64, string } from '../../../src/codec/primitives';
import { topic } from '../../../src/codec/topic';
import type { KafkaRecord } from '../../../src/model/record';
import { keyValueStore } from '../../../src/state/definition';
import { timerStore } from '../../../src/state/timer-definition';
import { add, changelog, compared, int64Of, latest, type Program, type Text, textOf } from '../program';
import { inputOf, isPoison, manyAt, record, someRecords } from './inputs';

const input = inputOf('input');
const results = topic('results', { key: string, value: int64 });
const seen = keyValueStore('seen', { key: string, value: int64 });
const quiet = timerStore('quiet', { key: string, clock: 'event' });
const alarms = timerStore('alarms', { key: string, clock: 'wall' });
const END = 100_000_000;

/** Counts each key's records until a timer of it fires, by event time or by the wall clock: what has gone out and what is kept is all there was. */
export const timers: Program = {
  name: 'timers',
  inputs: ['input'],
  others: { results: 2 },
  topology: ({ stream, store }) =>
    stream(input).pipe(
      processWithStore(
        { seen: store(seen), quiet: store(quiet), alarms: store(alarms) },
        {
          record: ({ key, value, timestamp }, stores): KafkaRecord<string, number>[] => {
            stores.seen.put(key, (stores.seen.get(key) ?? 0) + 1);
            const at = Number(value.split('@')[1]);
            if (at > 0) stores.alarms.set(key, at);
            else stores.quiet.set(key, timestamp + 10_000);
            return [];
          },
          timer: (timer, stores) => {
            const count = stores.seen.get(timer.key) ?? 0;
            stores.seen.delete(timer.key);
            return count === 0 ? [] : [timer.record(count)];
          },
        },
      ),
      to(results),
    ),
  round: ({ chance, number, now, write }) => {
    const due = (): number => (chance.below(5) === 0 ? 0 : now + chance.below(14_000));
    write(
      input,
      someRecords(chance, number, 10).map((each): Text => record(each.key, `${each.value}@${due()}`, each.timestamp)),
    );
  },
  last: [({ write }) => write(input, manyAt(END))],
  differences: (logs) => {
    const expected = new Map<string, number>();
    for (const { key, value } of logs('input').flat()) if (!isPoison(textOf(value))) add(expected, textOf(key));
    const found = new Map<string, number>();
    for (const { key, value } of logs('results').flat()) add(found, textOf(key), int64Of(value));
    for (const partition of logs(changelog('seen'))) {
      for (const [key, value] of latest(partition)) add(found, key, int64Of(value));
    }
    return compared('records of', expected, found);
  },
};
