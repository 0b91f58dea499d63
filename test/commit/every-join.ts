/** One program with every join of tables, and what must come out of it once everything has been read. */
import { merge } from 'rxjs';
import { groupTable, joinGlobalTable, joinTable, joinTables, joinTablesByForeignKey, mapValues, to, toTable } from '../../operators';
import { string } from '../../src/codec/primitives';
import { nullable } from '../../src/codec/nullable';
import { internalTopic, topic } from '../../src/codec/topic';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import { keyValueStore } from '../../src/state/definition';
import { foreignKeyStore } from '../../src/state/foreign-key-definition';
import type { Topic } from '../../src/model/topic';
import type { Topology } from '../../src/task/topology';
import type { Chance } from './chance';

const text = { key: string, value: string };
const nullableText = { key: string, value: nullable(string) };

/** Of the user's topics; those of the program itself are Kafka's. */
export const PARTITIONS = { people: 3, nicknames: 3, cities: 2, questions: 3, countries: 1 } as const;
type InputName = keyof typeof PARTITIONS;

export const RESULTS = ['inner', 'left', 'outer', 'fk-inner', 'fk-left', 'grouped'] as const;
type ResultName = (typeof RESULTS)[number];
type Text = Topic<string, string | null>;

export interface EveryJoin {
  readonly topology: Topology;
  readonly inputs: Readonly<Record<InputName, Text>>;
  readonly results: Readonly<Record<ResultName | 'answers', Text>>;
}

/** A person is the city and a number, "x1"; "-2" lives nowhere. A nickname comes under another key, and finds its person by a repartition. */
export function everyJoin(prefix = ''): EveryJoin {
  const named = (name: string): Text => topic(`${prefix}${name}`, nullableText);
  const inputs: EveryJoin['inputs'] = {
    people: named('people'),
    nicknames: named('nicknames'),
    cities: named('cities'),
    questions: named('questions'),
    countries: named('countries'),
  };
  const results: EveryJoin['results'] = {
    inner: named('inner'),
    left: named('left'),
    outer: named('outer'),
    'fk-inner': named('fk-inner'),
    'fk-left': named('fk-left'),
    grouped: named('grouped'),
    answers: named('answers'),
  };
  const byPerson = internalTopic('by-person', nullableText);
  const ofNicknames = keyValueStore('nicknames', text);
  const groups = keyValueStore('groups', text);
  const byCity = internalTopic('by-city', text);
  const residents = { inner: foreignKeyStore('residents', cityKeys), left: foreignKeyStore('left-residents', cityKeys) };

  const topology: Topology = ({ stream, table, globalTable, store, repartition }) => {
    const people = table(inputs.people);
    const cities = table(inputs.cities);
    const nicknames = toTable(
      stream(inputs.nicknames).pipe(
        repartition(byPerson, (_, { key }) => (key as string).slice(NICKNAME.length)),
        mapValues((value) => (value === 'none' ? null : value)),
      ),
      store(ofNicknames),
    );
    const outputs = [
      joinTables(people, nicknames, both).changes.pipe(to(results.inner)),
      joinTables(people, nicknames, both, { kind: 'left' }).changes.pipe(to(results.left)),
      joinTables(people, nicknames, both, { kind: 'outer' }).changes.pipe(to(results.outer)),
      joinTablesByForeignKey(people, cities, store(residents.inner), { foreignKey: cityOf, join: both }).changes.pipe(
        to(results['fk-inner']),
      ),
      joinTablesByForeignKey(people, cities, store(residents.left), { kind: 'left', foreignKey: cityOf, join: both }).changes.pipe(
        to(results['fk-left']),
      ),
      groupTable(people, store(groups), {
        by: (person) => [cityOf(person) as string, person.slice(1)],
        through: byCity,
        initial: () => '0 0',
        add: (group, number) => moved(group, 1, Number(number)),
        subtract: (group, number) => moved(group, -1, -Number(number)),
      }).changes.pipe(to(results.grouped)),
      stream(inputs.questions).pipe(
        joinTable(people, (question, person) => `${String(question)} ${String(person)}`, { kind: 'left' }),
        joinGlobalTable(
          globalTable(inputs.countries),
          (answer) => answer.split(' ')[1]![0]!,
          (answer, country) => `${answer} ${String(country)}`,
          { kind: 'left' },
        ),
        to(results.answers),
      ),
    ];
    return merge(...outputs);
  };
  return { topology, inputs, results };
}

export const NICKNAME = 'nickname of ';
const cityKeys = { key: string, foreignKey: string };
const cityOf = (person: string): string | null => (person[0] === '-' ? null : person[0]!);
const both = (one: string | undefined, other: string | undefined): string => `${String(one)} ${String(other)}`;

function moved(group: string, count: number, sum: number): string {
  const [members = '', total = ''] = group.split(' ');
  return `${Number(members) + count} ${Number(total) + sum}`;
}

export const change = (key: string, value: string | null, timestamp: number): KafkaRecord<string, string | null> =>
  KafkaRecord.of(key, value, timestamp, noOrigin);

const somebody = ['a', 'b', 'c', 'd', 'e', 'f'];
const somewhere = ['x', 'y', 'z'];
const oneOf = (of: readonly string[], chance: Chance): string => of[chance.below(of.length)]!;

/** The rows of the tables as they were written last. */
export class EveryTable {
  private readonly people = new Map<string, string>();
  private readonly nicknames = new Map<string, string>();
  private readonly cities = new Map<string, string>();
  private readonly countries = new Map<string, string>();
  private time = 0;

  /** A change of one of the tables. */
  draw(chance: Chance): { readonly to: Exclude<InputName, 'questions'>; readonly change: KafkaRecord<string, string | null> } {
    const kind = chance.below(10);
    const removes = chance.below(4) === 0;
    const value = String(chance.below(3));
    this.time++;
    if (kind < 5) {
      const [key, city] = [oneOf(somebody, chance), oneOf([...somewhere, '-'], chance)];
      return { to: 'people', change: this.set(this.people, key, removes ? null : `${city}${value}`) };
    }
    if (kind < 7) {
      const person = oneOf(somebody, chance);
      this.set(this.nicknames, person, removes ? null : value);
      return { to: 'nicknames', change: change(`${NICKNAME}${person}`, removes ? 'none' : value, this.time) };
    }
    const to = kind < 9 ? 'cities' : 'countries';
    return { to, change: this.set(this[to], oneOf(somewhere, chance), removes ? null : value) };
  }

  private set(rows: Map<string, string>, key: string, value: string | null): KafkaRecord<string, string | null> {
    if (value === null) rows.delete(key);
    else rows.set(key, value);
    return change(key, value, this.time);
  }

  /** A question about everybody, to be asked when all has been read. */
  questions(): KafkaRecord<string, string | null>[] {
    return somebody.map((key) => change(key, key, this.time + 1));
  }

  /** The rows that each table of the program has at the end. */
  get joined(): Record<ResultName, Record<string, string>> {
    const { people, nicknames, cities } = this;
    const named = (key: string): readonly [string | undefined, string | undefined] => [people.get(key), nicknames.get(key)];
    const located = (key: string): readonly [string | undefined, string | undefined] => [
      people.get(key),
      cities.get(people.get(key)?.[0] ?? ''),
    ];
    return {
      inner: rowsWhere((key) => (people.has(key) && nicknames.has(key) ? both(...named(key)) : undefined)),
      left: rowsWhere((key) => (people.has(key) ? both(...named(key)) : undefined)),
      outer: rowsWhere((key) => (people.has(key) || nicknames.has(key) ? both(...named(key)) : undefined)),
      'fk-inner': rowsWhere((key) => (located(key)[1] === undefined ? undefined : both(...located(key)))),
      'fk-left': rowsWhere((key) => (people.has(key) ? both(...located(key)) : undefined)),
      grouped: Object.fromEntries(
        somewhere.flatMap((city) => {
          const numbers = [...people.values()].filter((person) => person[0] === city).map((person) => Number(person.slice(1)));
          return numbers.length === 0 ? [] : [[city, `${numbers.length} ${numbers.reduce((sum, number) => sum + number, 0)}`]];
        }),
      ),
    };
  }

  get answers(): Record<string, string> {
    const { people, countries } = this;
    return Object.fromEntries(
      somebody.map((key) => [key, `${key} ${String(people.get(key))} ${String(countries.get(String(people.get(key))[0]!))}`]),
    );
  }
}

function rowsWhere(row: (key: string) => string | undefined): Record<string, string> {
  return Object.fromEntries(
    somebody.map((key) => [key, row(key)] as const).filter((each): each is [string, string] => each[1] !== undefined),
  );
}

/** The rows that a changelog leaves; groups that nobody is in any more are none. */
export function rowsOf(changes: readonly Pick<KafkaRecord<string, string | null>, 'key' | 'value'>[]): Record<string, string> {
  const rows = new Map<string, string>();
  for (const { key, value } of changes) {
    if (value === null || value === '0 0') rows.delete(key);
    else rows.set(key, value);
  }
  return Object.fromEntries([...rows].sort());
}
