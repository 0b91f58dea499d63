import { type Observable, Subject } from 'rxjs';
import { toTable } from '../../operators';
import { takesNull } from '../../src/codec/nullable';
import type { KafkaRecord } from '../../src/model/record';
import { record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { nullableNumbers, numberStore, numbers } from './stores';

type Row = KafkaRecord<string, number | null>;

const rows = {
  a: record('a', 1, 5),
  b: record('a', 2, 3),
  c: record('a', null, 4),
  d: record('b', null, 1),
};

describe('toTable', () => {
  it('emits each change, deletions as null, those of rows that never were too', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<Row>('-a-b-c-d-|', rows);
      const subs = '            ^--------!';
      expectObservable(toTable(source, numberStore()).changes).toBe('-a-b-c-d-|', rows);
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('says what was there before', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold<Row>('-a-b-c-|', rows);
      expectObservable(toTable(source, numberStore()).updates).toBe('-a-b-c-|', {
        a: record('a', { before: undefined, after: 1 }, 5),
        b: record('a', { before: 1, after: 2 }, 3),
        c: record('a', { before: 2, after: undefined }, 4),
      });
    });
  });

  it('has changed the row when it emits, and an older record overwrites', () => {
    const source = new Subject<Row>();
    const table = toTable(source, numberStore());
    const seen: unknown[] = [];
    table.changes.subscribe(({ key }) => seen.push(table.get(key)));
    for (const row of Object.values(rows)) source.next(row);
    expect(seen).toEqual([1, 2, undefined, undefined]);
  });

  it('drops and counts records without a key', () => {
    const source = new Subject<Row>();
    const store = numberStore();
    const seen: unknown[] = [];
    toTable(source, store).changes.subscribe((change) => seen.push(change));
    source.next(record(null as unknown as string, 1, 5));
    expect([seen, droppedRecords(store)]).toEqual([[], 1]);
  });

  it('subscribes to its source once, however many use it, and leaves with the last of them', () => {
    marbles(({ cold, expectSubscriptions, expectObservable }) => {
      const source = cold<Row>('-a-b-c-', rows);
      const subs = '            ^---!';
      const { changes, updates } = toTable(source, numberStore());
      expectObservable(updates, '^---!').toBe('-a-b', {
        a: record('a', { before: undefined, after: 1 }, 5),
        b: record('a', { before: 1, after: 2 }, 3),
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
      expectObservable(changes, '^--!').toBe('-a-', rows);
    });
  });

  it('refuses what is no store', () => {
    const nothing: Observable<Row> = new Subject();
    expect(() => toTable(nothing, {} as ReturnType<typeof numberStore>)).toThrow(
      errorWith({ code: 'CONFIG', where: { operator: 'toTable' } }),
    );
  });

  it('needs no nullable codec: a null is a deletion before it is a value', () => {
    expect([takesNull(numbers.output.value), takesNull(nullableNumbers.output.value)]).toEqual([false, true]);
  });
});
