import { filterValues } from '../../operators';
import { record } from '../../src/testing';
import { errorWith } from './errors';
import { marbles } from './marbles';

const records = { a: record('k', 1, 10), b: record('k', 2, 20), c: record('k', 3, 30) };

describe('filterValues', () => {
  it('lets the records through whose value is wanted, as they are', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-|', records);
      const subs = '        ^------!';
      const out = '         -a---c-|';
      expectObservable(source.pipe(filterValues((value) => value % 2 === 1))).toBe(out, records);
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('hands the function value and record', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('abc|', records).pipe(filterValues((value, record) => value * 10 === record.timestamp && value > 1))).toBe(
        '-bc|',
        records,
      );
    });
  });

  it('ends with PROCESSING when the function throws', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c|', records);
      const failing = source.pipe(
        filterValues((value) => {
          if (value === 2) throw new Error('two');
          return true;
        }),
      );
      expectObservable(failing).toBe('-a-#', records, errorWith({ code: 'PROCESSING', where: { operator: 'filterValues' } }));
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('unsubscribes from its source when it is unsubscribed', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-a', records);
      expectObservable(source.pipe(filterValues((value) => value !== 2)), '------!').toBe('-a---c', records);
      expectSubscriptions(source.subscriptions).toBe('^-----!');
    });
  });
});
