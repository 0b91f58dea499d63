/** Tables with a history, and records that wait for them. */
import { Subject } from 'rxjs';
import { filterTable, filterValues, joinTable, joinTables, mapTable, to, toTable } from '../../operators';
import { float64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { KafkaRecord } from '../../src/model/record';
import type { Table, TableOptions } from '../../src/model/table';
import { bufferStore } from '../../src/state/buffer-definition';
import { keyValueStore } from '../../src/state/definition';
import { versionedStore } from '../../src/state/versioned-definition';
import type { Topology } from '../../src/task/topology';
import { memoryStore, record, testTopology } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { numberStore } from './stores';

type Row = KafkaRecord<string, number | null>;
type Line = KafkaRecord<string, string>;

const versions = versionedStore('versions', { key: string, value: float64, history: 100 });
const waiting = bufferStore('waiting', { key: string, value: string });
const versionedTable = (source = new Subject<Row>()) => toTable(source, memoryStore(versions));
const both = (value: string, row: number | undefined): string => `${value} ${String(row)}`;

/** Everything that the rows, then the lines, lead to. */
function joined(rows: Row[], lines: Line[], kind: 'inner' | 'left', derive = (table: Table<string, number>) => table): string[] {
  const [table, stream, found] = [new Subject<Row>(), new Subject<Line>(), [] as string[]];
  const options = { kind: kind as 'left' };
  stream.pipe(joinTable(derive(versionedTable(table)), both, options)).subscribe(({ value }) => found.push(value));
  for (const row of rows) table.next(row);
  for (const line of lines) stream.next(line);
  return found;
}

const line = (key: string, value: string, timestamp: number): Line => record(key, value, timestamp);
const row = (key: string, value: number | null, timestamp: number): Row => record(key, value, timestamp);

describe('joinTable with a table that has a history', () => {
  const history = [row('a', 1, 10), row('a', null, 20), row('a', 3, 30), row('a', 2, 25)];
  const stream = [9, 10, 20, 25, 29, 30, 500].map((time) => line('a', `@${String(time)}`, time));

  it('finds the row that was valid at the time of a record', () => {
    expect(joined(history, stream, 'inner')).toEqual(['@10 1', '@25 2', '@29 2', '@30 3', '@500 3']);
    expect(joined(history, stream, 'left').slice(0, 3)).toEqual(['@9 undefined', '@10 1', '@20 undefined']);
  });

  it('finds nothing beyond the history, but what is still the latest', () => {
    const rows = [row('a', 1, 10), row('a', 2, 20), row('b', 5, 10), row('c', 9, 121)];
    expect(joined(rows, [line('a', 'x', 20), line('a', 'y', 19), line('b', 'z', 10)], 'inner')).toEqual(['x 2', 'z 5']);
  });

  it('finds what was valid in tables that follow from it row by row', () => {
    const derived = (table: Table<string, number>) =>
      filterTable(
        mapTable(table, (value) => value * 10),
        (value) => value > 10,
      );
    expect(joined(history, stream, 'inner', derived)).toEqual(['@25 20', '@29 20', '@30 30', '@500 30']);
  });

  it('finds the latest rows where another store keeps those that follow', () => {
    const store = memoryStore(keyValueStore('mapped', { key: string, value: float64 }));
    expect(joined(history, [line('a', 'old', 10)], 'inner', (table) => mapTable(table, (value) => value, { store }))).toEqual(['old 3']);
  });
});

describe('a table in a versioned store', () => {
  it('shows the latest row, and the changes of the latest rows alone', () => {
    marbles(({ cold, expectObservable }) => {
      const table = versionedTable(cold<Row>('-a-b-c-d-e-', { a: row('k', 1, 10), b: row('k', 2, 30), c: row('k', 3, 20), d: row('k', 4, 30), e: row('k', null, 31) }) as never); // prettier-ignore
      expectObservable(table.updates).toBe('-a-b---d-e-', {
        a: record('k', { before: undefined, after: 1 }, 10),
        b: record('k', { before: 1, after: 2 }, 30),
        d: record('k', { before: 2, after: 4 }, 30),
        e: record('k', { before: 4, after: undefined }, 31),
      });
    });
  });

  it('drops and counts null keys, and rows that are older than the history', () => {
    const [source, store] = [new Subject<Row>(), memoryStore(versions)];
    const table = toTable(source, store);
    const changed: unknown[] = [];
    table.changes.subscribe(({ value }) => changed.push(value));
    for (const each of [row('a', 1, 150), row('b', 2, 50), row('b', 3, 49), row(null as never, 4, 150)]) source.next(each);
    expect(changed).toEqual([1, 2]);
    expect([table.get('a'), table.get('b'), droppedRecords(store)]).toEqual([1, 2, 2]);
  });

  it('leads a join of tables by its latest rows: what comes out of order changes nothing', () => {
    const [left, right] = [new Subject<Row>(), new Subject<Row>()];
    const sum = joinTables(versionedTable(left), toTable(right, numberStore()), (a, b) => a + b);
    const found: unknown[] = [];
    sum.changes.subscribe(({ value, timestamp }) => found.push([value, timestamp]));
    right.next(row('a', 100, 1));
    for (const each of [row('a', 1, 20), row('a', 2, 10), row('a', 3, 21)]) left.next(each);
    right.next(row('a', 200, 2));
    expect(found).toEqual([
      [101, 20],
      [103, 21],
      [203, 21],
    ]);
  });

  it('is refused in any other kind of store', () => {
    expect(() => toTable(new Subject<Row>(), memoryStore(waiting) as never)).toThrow(
      errorWith({ code: 'CONFIG', message: 'the store "waiting" is of the kind buffer', where: { operator: 'toTable', store: 'waiting' } }),
    );
  });

  it('fails at a time that is none', () => {
    const source = new Subject<Row>();
    let failure: unknown;
    versionedTable(source).changes.subscribe({ error: (error: unknown) => (failure = error) });
    source.next(row('a', 1, -1));
    expect(failure).toEqual(errorWith({ code: 'INVALID_TIMESTAMP' }));
  });
});

describe('task.table with a history', () => {
  const prices = topic('prices', { key: string, value: string });
  const asked = (...options: readonly TableOptions[]) => {
    const topology: Topology = ({ table }) => {
      const tables = options.map((each) => table(prices, each));
      return tables[0]!.changes.pipe(
        filterValues((value) => value !== null),
        to(prices),
      );
    };
    return () => testTopology(topology);
  };

  it.each([0, -1, NaN, 1.5, Infinity])('refuses the history %p', (history) => {
    expect(asked({ history })).toThrow(errorWith({ code: 'CONFIG', message: 'has the history', where: { topic: 'prices' } }));
  });

  it('refuses a history without rows, and two that differ; asked for twice it is one table', () => {
    expect(asked({ history: 5, materialized: false })).toThrow(errorWith({ code: 'CONFIG', message: 'a history without rows' }));
    expect(asked({ history: 5 }, {})).toThrow(errorWith({ code: 'CONFIG', message: 'a history of 5 and of undefined' }));
    expect(asked({ history: 5 }, { history: 6 })).toThrow(errorWith({ code: 'CONFIG', message: 'a history of 5 and of 6' }));
    expect(asked({ history: 5 }, { history: 5 })).not.toThrow();
  });
});

describe('joinTable with grace', () => {
  const buffered = (kind: 'inner' | 'left', grace = 10) => {
    const [table, stream] = [new Subject<Row>(), new Subject<Line>()];
    const [buffer, store] = [memoryStore(waiting), memoryStore(versions)];
    const found: unknown[] = [];
    const join = joinTable(toTable(table, store), both, { kind: kind as 'left', grace, buffer });
    stream.pipe(join).subscribe({ next: ({ value, timestamp }) => found.push([value, timestamp]), error: (error) => found.push(error) });
    return { table, stream, found, store };
  };

  it('joins a record once event time is its time + grace, with the row that was valid at its time', () => {
    marbles(({ cold, expectObservable }) => {
      const rows = cold<Row>('  -X---Y-----', { X: row('a', 1, 0), Y: row('a', 2, 10) });
      const source = cold('     ---a---b-c-|', { a: line('a', 'one', 10), b: line('a', 'two', 19), c: line('a', 'three', 20) });
      const join = joinTable(toTable(rows, memoryStore(versions)), both, { grace: 10, buffer: memoryStore(waiting) });
      expectObservable(source.pipe(join)).toBe('---------1-|', { 1: record('a', 'one 2', 10) });
    });
  });

  it('lets records out by time, key and arrival', () => {
    const { table, stream, found } = buffered('inner');
    for (const key of ['a', 'b', 'aa']) table.next(row(key, 1, 0));
    for (const [key, value, time] of [['b', '1', 15], ['a', '2', 15], ['b', '3', 15], ['aa', '4', 15], ['b', '5', 12]] as const) stream.next(line(key, value, time)); // prettier-ignore
    expect(found).toEqual([]);
    stream.next(line('a', '6', 30));
    expect(found).toEqual([
      ['5 1', 12],
      ['2 1', 15],
      ['4 1', 15],
      ['1 1', 15],
      ['3 1', 15],
    ]);
  });

  it('joins at once what comes after its time + grace, as of its time', () => {
    const { table, stream, found } = buffered('inner');
    table.next(row('a', 1, 0));
    table.next(row('a', 2, 50));
    stream.next(line('a', 'first', 60));
    stream.next(line('a', 'late', 49));
    stream.next(line('a', 'just in time', 50));
    stream.next(line('a', 'early', 51));
    expect(found).toEqual([
      ['late 1', 49],
      ['just in time 2', 50],
    ]);
  });

  it('inner: lets nothing out without a row; left: a record alone', () => {
    const outcome = (kind: 'inner' | 'left'): unknown => {
      const { table, stream, found } = buffered(kind);
      stream.next(line('a', 'alone', 10));
      table.next(row('a', 1, 11));
      stream.next(line('a', 'next', 20));
      return found;
    };
    expect(outcome('inner')).toEqual([]);
    expect(outcome('left')).toEqual([['alone undefined', 10]]);
  });

  it('left: joins a record without a key with nothing, at once; it moves no time, and nor does a null', () => {
    const { stream, found, store } = buffered('left');
    stream.next(line('a', 'waits', 10));
    stream.next(line(null as never, 'keyless', 500));
    stream.next(line('a', null as never, 500));
    expect(found).toEqual([['keyless undefined', 500]]);
    expect(droppedRecords(store)).toBe(1);
  });

  it('inner: drops and counts records without a key or a value', () => {
    const { stream, found, store } = buffered('inner');
    stream.next(line(null as never, 'keyless', 10));
    stream.next(line('a', null as never, 10));
    expect([found, droppedRecords(store)]).toEqual([[], 2]);
  });

  it('with a grace of 0 joins in the order of the stream', () => {
    const { table, stream, found } = buffered('inner', 0);
    table.next(row('a', 1, 0));
    for (const time of [5, 3, 6]) stream.next(line('a', String(time), time));
    expect(found).toEqual([
      ['5 1', 5],
      ['3 1', 3],
      ['6 1', 6],
    ]);
  });

  it('fails with the operator named when the joiner throws for a record that has waited', () => {
    const stream = new Subject<Line>();
    const failing = (): never => {
      throw new Error('no such thing');
    };
    let failure: unknown;
    stream
      .pipe(joinTable(versionedTable(), failing, { kind: 'left', grace: 1, buffer: memoryStore(waiting) }))
      .subscribe({ error: (error: unknown) => (failure = error) });
    stream.next(line('a', 'x', 1));
    expect(failure).toBeUndefined();
    stream.next(line('a', 'y', 2));
    expect(failure).toEqual(errorWith({ code: 'PROCESSING', where: { operator: 'joinTable' } }));
  });

  it.each([-1, NaN, 0.5, Infinity])('refuses a grace of %p', (grace) => {
    expect(() => buffered('inner', grace)).toThrow(
      errorWith({ code: 'CONFIG', message: 'the option grace is', where: { operator: 'joinTable', option: 'grace' } }),
    );
  });

  it('refuses a grace beyond the history, which is the most there can be', () => {
    expect(() => buffered('inner', 100)).not.toThrow();
    expect(() => buffered('inner', 101)).toThrow(
      errorWith({ code: 'CONFIG', message: 'more than the history of the table "versions", 100' }),
    );
  });

  it('refuses a table without a history', () => {
    const table = toTable(new Subject<Row>(), numberStore());
    expect(() => joinTable(table, both, { kind: 'left', grace: 1, buffer: memoryStore(waiting) })).toThrow(
      errorWith({ code: 'CONFIG', message: 'needs a table with a history, but "numbers" keeps the latest rows alone' }),
    );
  });

  it('refuses a grace without a buffer, a buffer without a grace, and another kind of store', () => {
    const refused = (options: object): unknown => {
      try {
        return joinTable(versionedTable(), both, options as { kind: 'left' });
      } catch (error) {
        return error;
      }
    };
    expect(refused({ grace: 1 })).toEqual(errorWith({ code: 'CONFIG', where: { operator: 'joinTable', option: 'buffer' } }));
    expect(refused({ buffer: memoryStore(waiting) })).toEqual(
      errorWith({ code: 'CONFIG', where: { operator: 'joinTable', option: 'grace' } }),
    );
    expect(refused({ grace: 1, buffer: numberStore() })).toEqual(
      errorWith({ code: 'CONFIG', message: 'is the key-value store "numbers"; declare a bufferStore' }),
    );
  });

  it('refuses a buffer that another operator has', () => {
    const [one, other, buffer] = [new Subject<Line>(), new Subject<Line>(), memoryStore(waiting)];
    const join = () => joinTable(versionedTable(), both, { kind: 'left', grace: 1, buffer });
    one.pipe(join()).subscribe();
    let failure: unknown;
    other.pipe(join()).subscribe({ error: (error: unknown) => (failure = error) });
    expect(failure).toEqual(errorWith({ code: 'STORE_IN_USE', where: { store: 'waiting', operator: 'joinTable' } }));
  });

  it('frees the buffer when it is left', () => {
    const [stream, buffer] = [new Subject<Line>(), memoryStore(waiting)];
    const join = joinTable(versionedTable(), both, { kind: 'left', grace: 1, buffer });
    stream.pipe(join).subscribe().unsubscribe();
    const found: string[] = [];
    stream.pipe(join).subscribe(({ value }) => found.push(value));
    stream.next(line('a', 'x', 1));
    stream.next(line('a', 'y', 2));
    expect(found).toEqual(['x undefined']);
  });
});
