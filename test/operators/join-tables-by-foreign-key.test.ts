import { type Observable, Subject } from 'rxjs';
import { joinTablesByForeignKey, mapTable } from '../../operators';
import { passOn } from '../../operators/table/materialize';
import { float64, string } from '../../src/codec/primitives';
import type { Table } from '../../src/model/table';
import { keyValueStore } from '../../src/state/definition';
import { foreignKeyStore } from '../../src/state/foreign-key-definition';
import { memoryStore, record } from '../../src/testing';
import { MemoryScope } from '../../src/testing/memory-scope';
import { droppedRecords } from '../../src/testing/memory-store';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { type NumberRow, numberTable, type TextRow, textTable, update } from './tables';

const references = foreignKeyStore('references', { key: string, foreignKey: string });
const joined = keyValueStore('joined', { key: string, value: string });

/** A row "x1" refers to x; "-1" to nothing. */
const referring = {
  foreignKey: (row: string): string | null => (row[0] === '-' ? null : row[0]!),
  join: (row: string, foreign: number | undefined): string => `${row} ${String(foreign)}`,
};
const left = {
  a: record('a', 'x1', 10),
  b: record('b', 'x2', 20),
  c: record('a', 'y3', 30),
  d: record('a', 'x4', 40),
  o: record('a', '-5', 50),
  n: record('a', null, 60),
};
const right = { X: record('x', 7, 15), Y: record('y', 8, 5), Z: record('x', 9, 25), N: record('x', null, 35) };

const joinOf = (kind: 'inner' | 'left', ofLeft: Observable<TextRow>, ofRight: Observable<NumberRow>): Table<string, string> =>
  joinTablesByForeignKey(textTable(ofLeft), numberTable(ofRight), memoryStore(references), { ...referring, kind: kind as 'left' });

describe('joinTablesByForeignKey', () => {
  it('inner: has a row where there is one that it refers to; a change of that one changes all that refer to it, by key', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<TextRow>(' -a---b---------------|', left);
      const foreign = cold<NumberRow>('---X---Z----N--------|', right);
      const subs = '                   ^--------------------!';
      expectObservable(joinOf('inner', source, foreign).changes).toBe('---p-q-(rs)-(tu)-----|', {
        p: record('a', 'x1 7', 15),
        q: record('b', 'x2 7', 20),
        r: record('a', 'x1 9', 25),
        s: record('b', 'x2 9', 25),
        t: record('a', null, 35),
        u: record('b', null, 35),
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
      expectSubscriptions(foreign.subscriptions).toBe(subs);
    });
  });

  it('left: has each row, undefined beside it where there is none that it refers to', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold<TextRow>('   -a---o-n-n-', left);
      const foreign = cold<NumberRow>('---X---------', right);
      expectObservable(joinOf('left', source, foreign).changes).toBe('-p-q-r-s---', {
        p: record('a', 'x1 undefined', 10),
        q: record('a', 'x1 7', 15),
        r: record('a', '-5 undefined', 50),
        s: record('a', null, 60),
      });
    });
  });

  it('inner: a row that goes over to one that does not exist is a deletion, and comes back with the one it left', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold<TextRow>('   ---a-c-d-o-a-n-', left);
      const foreign = cold<NumberRow>('-X---------------', right);
      expectObservable(joinOf('inner', source, foreign).changes).toBe('---p-q-r-s-p-t-', {
        p: record('a', 'x1 7', 15),
        q: record('a', null, 30),
        r: record('a', 'x4 7', 40),
        s: record('a', null, 50),
        t: record('a', null, 60),
      });
    });
  });

  it('answers nothing to a row that has left', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold<TextRow>('   -a-c-----', left);
      const foreign = cold<NumberRow>('-----X-Y-Z', right);
      expectObservable(joinOf('inner', source, foreign).changes).toBe('---n---p--', {
        n: record('a', null, 30),
        p: record('a', 'y3 8', 5),
      });
    });
  });

  it('keeps its rows in a store, and then says what was before', () => {
    const [rows, foreign] = [new Subject<TextRow>(), new Subject<NumberRow>()];
    const store = memoryStore(joined);
    const table = joinTablesByForeignKey(textTable(rows), numberTable(foreign), memoryStore(references), { ...referring, store });
    const seen: unknown[] = [];
    table.updates.subscribe((each) => seen.push(each));
    foreign.next(right.X);
    for (const row of [left.a, left.d]) rows.next(row);
    expect([table.get('a'), store.get('a')]).toEqual(['x4 7', 'x4 7']);
    rows.next(left.n);
    expect(seen).toEqual([update('a', undefined, 'x1 7', 15), update('a', 'x1 7', 'x4 7', 40), update('a', 'x4 7', undefined, 60)]);
  });

  it('inner: drops and counts rows that refer to nothing', () => {
    const [rows, store] = [new Subject<TextRow>(), memoryStore(references)];
    const table = joinTablesByForeignKey(textTable(rows), numberTable(new Subject()), store, referring);
    const seen: unknown[] = [];
    table.changes.subscribe((change) => seen.push(change));
    rows.next(left.o);
    expect([seen, droppedRecords(store)]).toEqual([[], 1]);
  });

  it.each(['foreignKey', 'join'])('fails with the operator named when %s throws', (name) => {
    const [rows, foreign] = [new Subject<TextRow>(), new Subject<NumberRow>()];
    const failing = (): never => {
      throw new Error('no such thing');
    };
    let failure: unknown;
    const options = { ...referring, [name]: failing };
    joinTablesByForeignKey(textTable(rows), numberTable(foreign), memoryStore(references), options).changes.subscribe({
      error: (error: unknown) => (failure = error),
    });
    foreign.next(right.X);
    rows.next(left.a);
    expect(failure).toEqual(errorWith({ code: 'PROCESSING', message: 'no such thing', where: { operator: 'joinTablesByForeignKey' } }));
  });

  it('ends with an error of either', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(joinOf('inner', cold<TextRow>('---#'), cold<NumberRow>('----')).changes).toBe('---#');
      expectObservable(joinOf('inner', cold<TextRow>('----'), cold<NumberRow>('---#')).changes).toBe('---#');
    });
  });

  it('refuses a table that keeps no rows, by name', () => {
    const passing = passOn<string, number>('table', 'numbers', new Subject<NumberRow>(), new MemoryScope());
    expect(() => joinTablesByForeignKey(textTable(new Subject()), passing, memoryStore(references), referring)).toThrow(
      errorWith({ code: 'CONFIG', message: /"numbers" keeps no rows/, where: { operator: 'joinTablesByForeignKey' } }),
    );
  });

  it.each(['left', 'right'])('refuses worked-out rows on the %s, and says how they get a codec: with a store', (side) => {
    const [rows, foreign] = [textTable(new Subject()), numberTable(new Subject())];
    const [worked, numbers] = [mapTable(rows, (row) => row), mapTable(foreign, (number) => number)];
    expect(() =>
      joinTablesByForeignKey(side === 'left' ? worked : rows, side === 'right' ? numbers : foreign, memoryStore(references), referring),
    ).toThrow(errorWith({ code: 'CONFIG', message: /give the operator that makes it a store/ }));
  });
});

describe('joinTablesByForeignKey with the store of mapped rows', () => {
  it('joins them', () => {
    const [rows, foreign] = [new Subject<TextRow>(), new Subject<NumberRow>()];
    const doubled = keyValueStore('doubled', { key: string, value: float64 });
    const twice = mapTable(numberTable(foreign), (number) => 2 * number, { store: memoryStore(doubled) });
    const seen: unknown[] = [];
    joinTablesByForeignKey(textTable(rows), twice, memoryStore(references), referring).changes.subscribe(({ value }) => seen.push(value));
    rows.next(left.a);
    foreign.next(right.X);
    expect(seen).toEqual(['x1 14']);
  });
});
