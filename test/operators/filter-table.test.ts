import { Subject } from 'rxjs';
import { filterTable } from '../../operators';
import { float64, string } from '../../src/codec/primitives';
import { keyValueStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';
import { passOn } from '../../operators/table/materialize';
import { MemoryScope } from '../../src/testing/memory-scope';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { type NumberRow, numberTable, update } from './tables';

const rows = { 1: record('a', 1, 5), 2: record('a', 2, 3), 3: record('a', 3, 4), n: record('a', null, 6) };
const kept = keyValueStore('kept', { key: string, value: float64 });
const above = (least: number) => (value: number) => value > least;

describe('filterTable', () => {
  it('emits rows that pass, and a deletion where one no longer does', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<NumberRow>('-1-2-3-1-1-|', rows);
      const subs = '                  ^----------!';
      expectObservable(filterTable(numberTable(source), above(1)).changes).toBe('---2-3-n---|', {
        2: rows[2],
        3: rows[3],
        n: record('a', null, 5),
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('passes over deletions of what was not there', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(filterTable(numberTable(cold<NumberRow>('-n-1-n-2-n-|', rows)), above(1)).changes).toBe('-------2-n-|', rows);
    });
  });

  it('emits each of them where the table keeps no rows: what was there is not known', () => {
    marbles(({ cold, expectObservable }) => {
      const passing = passOn('table', 'numbers', cold<NumberRow>('-n-1-2-|', rows), new MemoryScope());
      expectObservable(filterTable(passing, above(1)).changes).toBe('-n-d-2-|', { ...rows, d: record('a', null, 5) });
    });
  });

  it('says what was there before', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(filterTable(numberTable(cold<NumberRow>('-1-2-3-1-|', rows)), above(1)).updates).toBe('---2-3-1-|', {
        2: update('a', undefined, 2, 3),
        3: update('a', 2, 3, 4),
        1: update('a', 3, undefined, 5),
      });
    });
  });

  it('finds only rows that pass, with a store and without', () => {
    for (const options of [{}, { store: memoryStore(kept) }]) {
      const source = new Subject<NumberRow>();
      const table = filterTable(numberTable(source), above(1), options);
      const seen: unknown[] = [];
      table.changes.subscribe(({ key }) => seen.push(table.get(key)));
      for (const row of [rows[1], rows[2], rows[3], rows[1]]) source.next(row);
      expect(seen).toEqual([2, 3, undefined]);
    }
  });

  it('fails with the operator named when the function throws', () => {
    const source = new Subject<NumberRow>();
    const failing = (): never => {
      throw new Error('no such thing');
    };
    let failure: unknown;
    filterTable(numberTable(source), failing).changes.subscribe({ error: (error: unknown) => (failure = error) });
    source.next(rows[1]);
    expect(failure).toEqual(errorWith({ code: 'PROCESSING', message: 'no such thing', where: { operator: 'filterTable' } }));
  });

  it('refuses what is no table', () => {
    expect(() => filterTable({} as never, above(1))).toThrow(errorWith({ code: 'CONFIG', where: { operator: 'filterTable' } }));
  });
});
