import { Subject } from 'rxjs';
import { joinGlobalTable, toTable } from '../../operators';
import { float64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { KafkaRecord } from '../../src/model/record';
import { memoryGlobalTable, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { numberStore } from './stores';

type Order = KafkaRecord<string, string>;

const prices = topic('prices', { key: string, value: float64 });
const table = () => memoryGlobalTable(prices, [record('tea', 2, 9), record('rum', 3, 9), record('rum', null as unknown as number, 9)]);
const orders = { a: record('o1', 'tea', 1), b: record('o2', 'rum', 2), c: record('o3', 'tea', 3) };
const product = (value: string): string | null => (value === 'nothing' ? null : value);
const priced = (value: string, price: number | undefined): string => `${value} ${String(price)}`;

describe('joinGlobalTable', () => {
  it('inner: emits the records whose row there is, with their own key and time', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<Order>('-a-b-c-|', orders);
      const subs = '              ^------!';
      expectObservable(source.pipe(joinGlobalTable(table(), product, priced))).toBe('-a---c-|', {
        a: record('o1', 'tea 2', 1),
        c: record('o3', 'tea 2', 3),
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('left: emits each record', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold<Order>('-a-b-|', orders);
      expectObservable(source.pipe(joinGlobalTable(table(), product, priced, { kind: 'left' }))).toBe('-a-b-|', {
        a: record('o1', 'tea 2', 1),
        b: record('o2', 'rum undefined', 2),
      });
    });
  });

  it('gives both functions the record', () => {
    const source = new Subject<Order>();
    const seen: string[] = [];
    const join = joinGlobalTable(
      table(),
      (_, { key }: Order) => key,
      (value, price, { timestamp }) => `${value} ${price} ${timestamp}`,
    );
    source.pipe(join).subscribe(({ value }) => seen.push(value));
    source.next(record('tea', 'order', 7));
    expect(seen).toEqual(['order 2 7']);
  });

  it.each([
    ['inner', [], 2],
    ['left', ['nothing undefined'], 1],
  ] as const)('%s: drops and counts null values, and null keys of rows if inner; needs no key of its own', (kind, expected, dropped) => {
    const [source, rows, seen] = [new Subject<Order>(), table(), [] as string[]];
    source.pipe(joinGlobalTable(rows, product, priced, { kind: kind as 'left' })).subscribe(({ value }) => seen.push(value));
    source.next(record('o', null as unknown as string, 1));
    source.next(record('o', 'nothing', 1));
    source.next(record(null as unknown as string, 'tea', 1));
    expect([seen, droppedRecords(rows)]).toEqual([[...expected, 'tea 2'], dropped]);
  });

  it.each(['key', 'joiner'])('fails with the operator named when the %s throws', (which) => {
    const source = new Subject<Order>();
    const failing = (): never => {
      throw new Error('no such thing');
    };
    let failure: unknown;
    source
      .pipe(joinGlobalTable(table(), which === 'key' ? failing : product, which === 'joiner' ? failing : priced))
      .subscribe({ error: (error: unknown) => (failure = error) });
    source.next(orders.a);
    expect(failure).toEqual(errorWith({ code: 'PROCESSING', message: 'no such thing', where: { operator: 'joinGlobalTable' } }));
  });

  it('refuses a table of one partition, and names it', () => {
    expect(() => joinGlobalTable(toTable(new Subject<KafkaRecord<string, number>>(), numberStore()), product, priced)).toThrow(
      errorWith({ code: 'CONFIG', message: /"numbers" holds the rows of one partition/, where: { operator: 'joinGlobalTable' } }),
    );
  });

  it('refuses what is no table', () => {
    expect(() => joinGlobalTable({} as never, product, priced)).toThrow(
      errorWith({ code: 'CONFIG', where: { operator: 'joinGlobalTable' } }),
    );
  });
});
