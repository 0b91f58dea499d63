import { Subject } from 'rxjs';
import { mapTable } from '../../operators';
import { string } from '../../src/codec/primitives';
import { keyValueStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { type NumberRow, numberTable, update } from './tables';

const rows = { a: record('a', 1, 5), b: record('a', 2, 3), n: record('a', null, 4), c: record('c', 3, 1) };
const named = keyValueStore('named', { key: string, value: string });
const shown = (value: number, key: string): string => `${key}${String(value)}`;

describe('mapTable', () => {
  it('emits what becomes of each change, at its time; deletions as they are, without a call', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<NumberRow>('-a-b-n-n-c-|', rows);
      const subs = '                  ^----------!';
      expectObservable(mapTable(numberTable(source), shown).changes).toBe('-a-b-n-n-c-|', {
        a: record('a', 'a1', 5),
        b: record('a', 'a2', 3),
        n: record('a', null, 4),
        c: record('c', 'c3', 1),
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('says what was there before', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(mapTable(numberTable(cold<NumberRow>('-a-b-n-|', rows)), shown).updates).toBe('-a-b-n-|', {
        a: update('a', undefined, 'a1', 5),
        b: update('a', 'a1', 'a2', 3),
        n: update('a', 'a2', undefined, 4),
      });
    });
  });

  it('looks a row up in the table it was made from', () => {
    const source = new Subject<NumberRow>();
    const table = mapTable(numberTable(source), shown);
    table.changes.subscribe();
    source.next(rows.a);
    source.next(rows.b);
    expect([table.get('a'), table.get('b')]).toEqual(['a2', undefined]);
  });

  it('has no row where it is given null', () => {
    marbles(({ cold, expectObservable }) => {
      const even = mapTable(numberTable(cold<NumberRow>('-a-b-a-|', rows)), (value) => (value % 2 === 0 ? value : null));
      expectObservable(even.updates).toBe('-a-b-c-|', {
        a: update('a', undefined, undefined, 5),
        b: update('a', undefined, 2, 3),
        c: update('a', 2, undefined, 5),
      });
    });
  });

  it('keeps its rows in a store, and calls the function once for each change', () => {
    const source = new Subject<NumberRow>();
    const store = memoryStore(named);
    const calls: string[] = [];
    const noting = (value: number, key: string): string => {
      calls.push(shown(value, key));
      return shown(value, key);
    };
    const table = mapTable(numberTable(source), noting, { store });
    const seen: unknown[] = [];
    table.updates.subscribe(({ value }) => seen.push(value));
    for (const row of [rows.a, rows.b, rows.n]) source.next(row);
    expect(seen).toEqual([
      { before: undefined, after: 'a1' },
      { before: 'a1', after: 'a2' },
      { before: 'a2', after: undefined },
    ]);
    expect([table.get('a'), store.get('a')]).toEqual([undefined, undefined]);
    expect(calls).toEqual(['a1', 'a2']);
  });

  it('fails with the operator named when the function throws', () => {
    const source = new Subject<NumberRow>();
    const failing = (): never => {
      throw new Error('no such thing');
    };
    let failure: unknown;
    mapTable(numberTable(source), failing).changes.subscribe({ error: (error: unknown) => (failure = error) });
    source.next(rows.a);
    expect(failure).toEqual(errorWith({ code: 'PROCESSING', message: 'no such thing', where: { operator: 'mapTable' } }));
  });

  it('refuses what is no table', () => {
    expect(() => mapTable({} as never, shown)).toThrow(errorWith({ code: 'CONFIG', where: { operator: 'mapTable' } }));
  });
});
