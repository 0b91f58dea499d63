import { merge } from 'rxjs';
import { joinTable, mapValues, to } from '../../../operators';
import { string } from '../../../src/codec/primitives';
import { topic } from '../../../src/codec/topic';
import type { Topology } from '../../../src/task/topology';
import { add, compared, type Program, textOf } from '../program';
import { inputOf, isPoison, oneOfEach, someRecords } from './inputs';

const orders = inputOf('orders');
const profiles = topic('profiles', { key: string, value: string });
const named = topic('named', { key: string, value: string });
const changed = topic('changed', { key: string, value: string });

/** Joins orders with profiles; the next deploy says what each profile was before, for which their table needs a changelog of its own. */
const joining =
  (saysBefore: boolean): Topology =>
  ({ stream, table }) => {
    const rows = table(profiles);
    const joined = stream(orders).pipe(
      joinTable(rows, (order, profile) => `${order}/${profile ?? 'nobody'}`, { kind: 'left' }),
      to(named),
    );
    if (!saysBefore) return joined;
    return merge(
      joined,
      rows.updates.pipe(
        mapValues(({ before, after }) => `${before ?? 'nobody'}>${after ?? 'nobody'}`),
        to(changed),
      ),
    );
  };

/** Rows from before the deploy are missing in the copy, and said to be: each order goes out once, and in the end it meets the last profile. */
export const lateCopy: Program = {
  name: 'late copy of a table',
  inputs: ['orders', 'profiles'],
  others: { named: 2, changed: 2 },
  sources: { 'profiles-table': ['profiles'] },
  topology: joining(false),
  next: joining(true),
  round: ({ chance, number, write }) => {
    write(
      profiles,
      someRecords(chance, number, 4).filter(({ value }) => !isPoison(value)),
    );
    write(orders, someRecords(chance, number, 8));
  },
  last: [
    ({ write }) =>
      write(
        profiles,
        oneOfEach(1_000_000).filter(({ value }) => !isPoison(value)),
      ),
    ({ write }) => write(orders, oneOfEach(2_000_000)),
  ],
  differences: (logs) => {
    const expected = new Map<string, number>();
    const last = new Map<string, string>();
    for (const { key, value } of logs('profiles').flat()) last.set(textOf(key), textOf(value));
    for (const { value } of logs('orders').flat()) if (!isPoison(textOf(value))) add(expected, textOf(value));
    const found = new Map<string, number>();
    const met = new Map<string, string>();
    for (const { key, value } of logs('named').flat()) {
      const [order, profile] = textOf(value).split('/') as [string, string];
      add(found, order);
      met.set(textOf(key), profile);
    }
    return [...compared('order', expected, found), ...compared('last profile', last, met)];
  },
};
