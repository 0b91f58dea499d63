import { joinTable, to } from '../../../operators';
import { string } from '../../../src/codec/primitives';
import { topic } from '../../../src/codec/topic';
import { add, compared, type Program, textOf } from '../program';
import { inputOf, isPoison, oneOfEach, someRecords } from './inputs';

const orders = inputOf('orders');
const profiles = topic('profiles', { key: string, value: string });
const named = topic('named', { key: string, value: string });

const numberOf = (profile: string): number => (profile === 'nobody' ? -1 : Number(profile.split(' ')[1]));

/** Joins orders with profiles. Each order goes out once; what profile it meets may depend on who was first, but never is an older one again. */
export const table: Program = {
  name: 'stream with table',
  inputs: ['orders', 'profiles'],
  others: { named: 2 },
  sources: { 'profiles-table': ['profiles'] },
  topology: ({ stream, table: tableOf }) =>
    stream(orders).pipe(
      joinTable(tableOf(profiles), (order, profile) => `${order}/${profile ?? 'nobody'}`, { kind: 'left' }),
      to(named),
    ),
  round: ({ chance, number, write }) => {
    if (chance.below(2) === 0) write(profiles, profilesOf(someRecords(chance, number, 4)));
    write(orders, someRecords(chance, number, 10));
  },
  last: [({ write }) => write(profiles, profilesOf(oneOfEach(1_000_000))), ({ write }) => write(orders, oneOfEach(2_000_000))],
  differences: (logs) => {
    const expected = new Map<string, number>();
    const last = new Map<string, string>();
    for (const { key, value } of logs('profiles').flat()) last.set(textOf(key), textOf(value));
    for (const { value } of logs('orders').flat()) if (!isPoison(textOf(value))) add(expected, textOf(value));
    const found = new Map<string, number>();
    const backwards: string[] = [];
    const seen = new Map<string, number>();
    const met = new Map<string, string>();
    for (const { key, value } of logs('named').flat()) {
      const [order, profile] = textOf(value).split('/') as [string, string];
      add(found, order);
      const number = numberOf(profile);
      if (number < (seen.get(textOf(key)) ?? -1)) backwards.push(`${textOf(key)} meets ${profile} again`);
      seen.set(textOf(key), number);
      met.set(textOf(key), profile);
    }
    return [...compared('order', expected, found), ...backwards, ...compared('last profile', last, met)];
  },
};

/** A table refuses poison. */
function profilesOf(records: ReturnType<typeof someRecords>): ReturnType<typeof someRecords> {
  return records.filter(({ value }) => !isPoison(value));
}
