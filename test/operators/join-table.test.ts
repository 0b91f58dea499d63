import { Subject } from 'rxjs';
import { joinTable, toTable } from '../../operators';
import type { KafkaRecord } from '../../src/model/record';
import { record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { numberStore } from './stores';

type Row = KafkaRecord<string, number | null>;

const rows = { X: record('a', 10, 100), Y: record('a', 20, 1), N: record('a', null, 101) };
const stream = { a: record('a', 'one', 3), b: record('a', 'two', 200), c: record('b', 'three', 4) };
const both = (value: string, row: number | undefined): string => `${value} ${String(row)}`;

describe('joinTable', () => {
  it('inner: emits the records that have a row, with the row as it is at that moment and their own time', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const table = cold<Row>('--X---Y---N--', rows);
      const source = cold('    -a-b-c-b-c-a|', stream);
      const subs = '           ^-----------!';
      const joined = source.pipe(joinTable(toTable(table, numberStore()), both));
      expectObservable(joined).toBe('---1---2----|', { 1: record('a', 'two 10', 200), 2: record('a', 'two 20', 200) });
      expectSubscriptions(source.subscriptions).toBe(subs);
      expectSubscriptions(table.subscriptions).toBe(subs);
    });
  });

  it('left: emits each record, without a row if there is none', () => {
    marbles(({ cold, expectObservable }) => {
      const table = cold<Row>('--X---N---', rows);
      const source = cold('    -a-b-c-b-|', stream);
      const joined = source.pipe(joinTable(toTable(table, numberStore()), both, { kind: 'left' }));
      expectObservable(joined).toBe('-1-2-3-4-|', {
        1: record('a', 'one undefined', 3),
        2: record('a', 'two 10', 200),
        3: record('b', 'three undefined', 4),
        4: record('a', 'two undefined', 200),
      });
    });
  });

  it('drops and counts null values; null keys too if inner, which left joins with nothing', () => {
    const dropped = (kind: 'inner' | 'left'): unknown => {
      const [store, source, joined] = [numberStore(), new Subject<KafkaRecord<string, string>>(), [] as string[]];
      const table = toTable(new Subject<Row>(), store);
      const options = { kind: kind as 'left' };
      source.pipe(joinTable(table, both, options)).subscribe(({ value }) => joined.push(value));
      source.next(record('a', null as unknown as string, 1));
      source.next(record(null as unknown as string, 'keyless', 1));
      return [joined, droppedRecords(store)];
    };
    expect(dropped('inner')).toEqual([[], 2]);
    expect(dropped('left')).toEqual([['keyless undefined'], 1]);
  });

  it('fails with the operator named when the joiner throws', () => {
    const source = new Subject<KafkaRecord<string, string>>();
    const table = toTable(new Subject<Row>(), numberStore());
    const failing = (): never => {
      throw new Error('no such thing');
    };
    let failure: unknown;
    source.pipe(joinTable(table, failing, { kind: 'left' })).subscribe({ error: (error: unknown) => (failure = error) });
    source.next(stream.a);
    expect(failure).toEqual(errorWith({ code: 'PROCESSING', where: { operator: 'joinTable' } }));
  });

  it('ends with an error of its table', () => {
    marbles(({ cold, expectObservable }) => {
      const joined = cold('-a---', stream).pipe(joinTable(toTable(cold<Row>('---#', rows), numberStore()), both));
      expectObservable(joined).toBe('---#');
    });
  });

  it('goes on when its table has completed, with its last rows', () => {
    marbles(({ cold, expectObservable }) => {
      const joined = cold('---b-|', stream).pipe(joinTable(toTable(cold<Row>('-X|', rows), numberStore()), both));
      expectObservable(joined).toBe('---b-|', { b: record('a', 'two 10', 200) });
    });
  });

  it('refuses what is no table', () => {
    expect(() => joinTable({} as never, both)).toThrow(errorWith({ code: 'CONFIG', where: { operator: 'joinTable' } }));
  });
});
