import { Subject } from 'rxjs';
import { filterTable, joinTables, mapTable } from '../../operators';
import { passOn } from '../../operators/table/materialize';
import { float64, string } from '../../src/codec/primitives';
import type { Table } from '../../src/model/table';
import { keyValueStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';
import { MemoryScope } from '../../src/testing/memory-scope';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { type NumberRow, numberTable, type TextRow, textTable, update } from './tables';

type Kind = 'inner' | 'left' | 'outer';

const numbers = { 1: record('a', 1, 10), 2: record('a', 2, 30), n: record('a', null, 40), b: record('b', 7, 5) };
const texts = { X: record('a', 'X', 20), Y: record('a', 'Y', 5), N: record('a', null, 35) };
const both = (number: number | undefined, text: string | undefined): string => `${String(number ?? '∅')}${text ?? '∅'}`;
const joined = keyValueStore('joined', { key: string, value: string });

const joinOf = (kind: Kind, left: Table<string, number>, right: Table<string, string>): Table<string, string> =>
  joinTables(left, right, both, { kind: kind as 'outer' });

describe('joinTables', () => {
  it('inner: has a row where both have one, at the greater time of the two', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const left = cold<NumberRow>('-1-----2-n-----|', numbers);
      const right = cold<TextRow>(' ---X-Y-------N-|', texts);
      const subs = '                ^--------------!';
      expectObservable(joinOf('inner', numberTable(left), textTable(right)).changes).toBe('---a-b-c-d-----|', {
        a: record('a', '1X', 20),
        b: record('a', '1Y', 10),
        c: record('a', '2Y', 30),
        d: record('a', null, 40),
      });
      expectSubscriptions(left.subscriptions).toBe(subs);
      expectSubscriptions(right.subscriptions).toBe(subs);
    });
  });

  it('left: has a row where the left one has, undefined beside it where the right one has none', () => {
    marbles(({ cold, expectObservable }) => {
      const left = cold<NumberRow>('-----1-----n---|', numbers);
      const right = cold<TextRow>(' -X-N---X-N---X-|', texts);
      expectObservable(joinOf('left', numberTable(left), textTable(right)).changes).toBe('-----a-b-c-d---|', {
        a: record('a', '1∅', 10),
        b: record('a', '1X', 20),
        c: record('a', '1∅', 35),
        d: record('a', null, 40),
      });
    });
  });

  it('outer: has a row where either has; a deletion where neither has any more, none where neither had', () => {
    marbles(({ cold, expectObservable }) => {
      const left = cold<NumberRow>('-n---1---n-----|', numbers);
      const right = cold<TextRow>(' ---X---N---N-N-|', texts);
      expectObservable(joinOf('outer', numberTable(left), textTable(right)).changes).toBe('---a-b-c-d-----|', {
        a: record('a', '∅X', 20),
        b: record('a', '1X', 20),
        c: record('a', '1∅', 35),
        d: record('a', null, 40),
      });
    });
  });

  it('says what was there before, from either side', () => {
    marbles(({ cold, expectObservable }) => {
      const left = cold<NumberRow>('-1---2---', numbers);
      const right = cold<TextRow>(' ---X---N-', texts);
      expectObservable(joinOf('left', numberTable(left), textTable(right)).updates).toBe('-a-b-c-d-', {
        a: update('a', undefined, '1∅', 10),
        b: update('a', '1∅', '1X', 20),
        c: update('a', '1X', '2X', 30),
        d: update('a', '2X', '2∅', 35),
      });
    });
  });

  it('finds a joined row, worked out or kept', () => {
    for (const options of [{}, { store: memoryStore(joined) }]) {
      const [left, right] = [new Subject<NumberRow>(), new Subject<TextRow>()];
      const table = joinTables(numberTable(left), textTable(right), both, options);
      const seen: unknown[] = [];
      table.changes.subscribe(({ key }) => seen.push(table.get(key)));
      left.next(numbers[1]);
      right.next(texts.X);
      left.next(numbers[2]);
      left.next(numbers.b);
      right.next(texts.N);
      expect([seen, table.get('b')]).toEqual([['1X', '2X', undefined], undefined]);
    }
  });

  it('completes when both have', () => {
    marbles(({ cold, expectObservable }) => {
      const table = joinOf('left', numberTable(cold<NumberRow>('-1-|', numbers)), textTable(cold<TextRow>('------|', texts)));
      expectObservable(table.changes).toBe('-a----|', { a: record('a', '1∅', 10) });
    });
  });

  it('ends with an error of either', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const left = cold<NumberRow>('-----', numbers);
      expectObservable(joinOf('inner', numberTable(left), textTable(cold<TextRow>('--#'))).changes).toBe('--#');
      expectSubscriptions(left.subscriptions).toBe('^-!');
    });
  });

  it('fails with the operator named when the joiner throws', () => {
    const source = new Subject<NumberRow>();
    const failing = (): never => {
      throw new Error('no such thing');
    };
    let failure: unknown;
    const table = joinTables(numberTable(source), textTable(new Subject()), failing, { kind: 'left' });
    table.changes.subscribe({ error: (error: unknown) => (failure = error) });
    source.next(numbers[1]);
    expect(failure).toEqual(errorWith({ code: 'PROCESSING', message: 'no such thing', where: { operator: 'joinTables' } }));
  });

  it('refuses a table that keeps no rows, by name', () => {
    const passing = passOn<string, string>('table', 'texts', new Subject<TextRow>(), new MemoryScope());
    expect(() => joinOf('inner', numberTable(new Subject()), passing)).toThrow(
      errorWith({ code: 'CONFIG', message: /"texts" keeps no rows/, where: { operator: 'joinTables' } }),
    );
  });
});

type Derived = readonly [Table<string, number>, Table<string, number>];

/** Both sides from one table, in ways in which one of them is ahead while the other changes. */
const derivations: readonly (readonly [string, (table: Table<string, number>) => Derived])[] = [
  ['itself', (table) => [table, table]],
  ['what is worked out from it', (table) => [table, mapTable(table, twice)]],
  ['what is worked out from it, on the left', (table) => [mapTable(table, twice), table]],
  ['both worked out', (table) => [mapTable(table, twice), mapTable(table, (row) => -row)]],
  ['what a store keeps', (table) => [table, mapTable(table, twice, { store: memoryStore(doubled) })]],
  ['what a store keeps, on the left', (table) => [mapTable(table, twice, { store: memoryStore(doubled) }), table]],
  ['a table of its changes', (table) => [numberTable(table.changes), table]],
  ['some of its rows', (table) => [filterTable(table, (row) => row !== 2), table]],
  ['other rows of it', (table) => [filterTable(table, (row) => row !== 1), filterTable(table, (row) => row !== 2)]],
  ['a join with itself', (table) => [joinTables(table, table, (one, other) => one + other), table]],
  ['a join with what a store keeps', (table) => [sumWithKept(table), table]],
  ['a join with what a store keeps, on the right', (table) => [table, sumWithKept(table)]],
];
const doubled = keyValueStore('doubled', { key: string, value: float64 });
const twice = (row: number): number => 2 * row;
const sumWithKept = (table: Table<string, number>): Table<string, number> =>
  joinTables(table, mapTable(table, twice, { store: memoryStore(doubled) }), (one, other) => one + other);

describe.each(derivations)('joinTables of a table with %s', (_, derive) => {
  it.each(['inner', 'left', 'outer'] as const)(
    '%s: each change begins with the row that the last one has left, and all end with the last row',
    (kind) => {
      const source = new Subject<NumberRow>();
      const [left, right] = derive(numberTable(source));
      const pairs = joinTables(left, right, (one, other) => `${String(one)} ${String(other)}`, { kind: kind as 'outer' });
      let row: string | undefined;
      const broken: unknown[] = [];
      pairs.updates.subscribe(({ value }) => {
        if (value.before !== row) broken.push([row, value]);
        row = value.after;
      });
      for (const next of [numbers[1], numbers[2], numbers[1], numbers.n, numbers.n, numbers[2], numbers[2], numbers.n, numbers[1]]) {
        source.next(next);
        if (row !== pairs.get('a')) broken.push([row, pairs.get('a')]);
      }
      expect(broken).toEqual([]);
    },
  );
});

describe('joinTables of a table with itself', () => {
  it.each(['inner', 'left', 'outer'] as const)('%s: has and loses each row of it, once', (kind) => {
    const source = new Subject<NumberRow>();
    const table = numberTable(source);
    const pairs = joinTables(table, table, (one, other) => `${String(one)} ${String(other)}`, { kind: kind as 'inner' });
    const seen: unknown[] = [];
    pairs.updates.subscribe(({ value }) => seen.push(value));
    for (const row of [numbers[1], numbers[2], numbers.n]) source.next(row);
    expect(seen).toEqual([
      { before: undefined, after: '1 1' },
      { before: '1 1', after: '2 2' },
      { before: '2 2', after: undefined },
    ]);
  });
});
