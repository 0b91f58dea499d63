import { Subject } from 'rxjs';
import { groupTable, type GroupTableOptions } from '../../operators';
import { passOn } from '../../operators/table/materialize';
import { float64, string } from '../../src/codec/primitives';
import { internalTopic } from '../../src/codec/topic';
import type { KafkaRecord } from '../../src/model/record';
import type { Table } from '../../src/model/table';
import { keyValueStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';
import { MemoryScope } from '../../src/testing/memory-scope';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { type TextRow, textTable, update } from './tables';

const sums = keyValueStore('sums', { key: string, value: float64 });

/** A row "x3": the number 3 in the group x. */
const summing: GroupTableOptions<string, string, string, number, number> = {
  by: (row) => [row[0]!, Number(row.slice(1))],
  through: internalTopic('by-group', { key: string, value: float64 }),
  initial: () => 0,
  add: (sum, value) => sum + value,
  subtract: (sum, value) => sum - value,
};

const sumsOf = (table: Table<string, string>, options = {}): Table<string, number> =>
  groupTable(table, memoryStore(sums), { ...summing, ...options });

const rows = {
  a: record('a', 'x1', 10),
  b: record('b', 'x2', 5),
  c: record('a', 'y3', 20),
  d: record('b', 'x7', 6),
  n: record('b', null, 30),
};

describe('groupTable', () => {
  it('emits the aggregate of each group concerned, the one that is left first, at the greater time of row and group', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<TextRow>('-a-b-c----n-|', rows);
      const subs = '                ^-----------!';
      expectObservable(sumsOf(textTable(source)).changes).toBe('-p-q-(rs)-t-|', {
        p: record('x', 1, 10),
        q: record('x', 3, 10),
        r: record('x', 2, 20),
        s: record('y', 3, 20),
        t: record('x', 0, 30),
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('subtracts and adds at once where a row stays in its group', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(sumsOf(textTable(cold<TextRow>('-b-d-', rows))).updates).toBe('-p-q-', {
        p: update('x', undefined, 2, 5),
        q: update('x', 2, 7, 6),
      });
    });
  });

  it('has the group when it emits', () => {
    const source = new Subject<TextRow>();
    const table = sumsOf(textTable(source));
    const seen: unknown[] = [];
    table.changes.subscribe(({ key }) => seen.push([key, table.get(key)]));
    for (const row of [rows.a, rows.c]) source.next(row);
    expect(seen).toEqual([
      ['x', 1],
      ['x', 0],
      ['y', 3],
    ]);
  });

  it.each([
    ['group', (row: string) => [row === 'x2' ? null : 'x', 1]],
    ['value', (row: string) => ['x', row === 'x2' ? null : 1]],
  ])('leaves out a row of the %s null', (_, by) => {
    const source = new Subject<TextRow>();
    const seen: unknown[] = [];
    sumsOf(textTable(source), { by }).changes.subscribe(({ key, value }) => seen.push([key, value]));
    for (const row of [rows.a, rows.b, rows.d, rows.n]) source.next(row);
    expect(seen).toEqual([
      ['x', 1],
      ['x', 2],
      ['x', 1],
    ]);
  });

  it('deletes a group whose aggregate is null, subtracts nothing from none, and begins it anew', () => {
    const source = new Subject<TextRow>();
    const subtracted: unknown[] = [];
    const subtract = (sum: number, value: number): number | null => {
      subtracted.push([sum, value]);
      return sum === value ? null : sum - value;
    };
    const table = sumsOf(textTable(source), { subtract });
    const seen: unknown[] = [];
    table.updates.subscribe(({ key, value }) => seen.push([key, value]));
    for (const row of [rows.b, rows.n, rows.n, rows.d]) source.next(row);
    expect(seen).toEqual([
      ['x', { before: undefined, after: 2 }],
      ['x', { before: 2, after: undefined }],
      ['x', { before: undefined, after: 7 }],
    ]);
    expect(subtracted).toEqual([[2, 2]]);
  });

  it.each(['by', 'initial', 'add', 'subtract'])('fails with the operator named when %s throws', (name) => {
    const source = new Subject<TextRow>();
    const failing = (): never => {
      throw new Error('no such thing');
    };
    let failure: unknown;
    const table = sumsOf(textTable(source), { [name]: failing });
    table.changes.subscribe({ error: (error: unknown) => (failure = error) });
    for (const row of [rows.a, rows.c]) source.next(row);
    expect(failure).toEqual(errorWith({ code: 'PROCESSING', message: 'no such thing', where: { operator: 'groupTable' } }));
  });

  it('refuses a table that keeps no rows, by name: what was before is not known', () => {
    const passing = passOn<string, string>('table', 'texts', new Subject<KafkaRecord<string, string>>(), new MemoryScope());
    expect(() => sumsOf(passing)).toThrow(
      errorWith({ code: 'CONFIG', message: /"texts" keeps no rows/, where: { operator: 'groupTable' } }),
    );
  });
});
