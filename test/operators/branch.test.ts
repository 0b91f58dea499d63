import { merge, Subject } from 'rxjs';
import { branch, mapValues } from '../../operators';
import { record } from '../../src/testing';
import { errorWith } from './errors';
import { marbles } from './marbles';

const records = { a: record('k', 1, 10), b: record('k', 2, 20), c: record('k', 3, 30), d: record('k', 4, 40) };

describe('branch', () => {
  it('gives each record to the first branch whose predicate is true, and what matches none to rest', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-d-|', records);
      const by = branch(source, { small: (n) => n < 3, even: (n) => n % 2 === 0 });
      expectObservable(by.small).toBe('-a-b-----|', records);
      expectObservable(by.even).toBe(' -------d-|', records);
      expectObservable(by.rest).toBe(' -----c---|', records);
      expectSubscriptions(source.subscriptions).toBe('^--------!');
    });
  });

  it('tries each predicate once a record, in the order they are written, with value and record', () => {
    const source = new Subject<(typeof records)['a']>();
    const asked: unknown[] = [];
    const ask = (name: string) => (value: number, whole: unknown) => {
      asked.push([name, value, whole]);
      return false;
    };
    const by = branch(source, { first: ask('first'), second: ask('second') });
    merge(by.rest, by.second, by.first).subscribe();
    source.next(records.a);
    expect(asked).toEqual([
      ['first', 1, records.a],
      ['second', 1, records.a],
    ]);
  });

  it('ends every branch with PROCESSING when a predicate throws', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c|', records);
      const by = branch(source, {
        odd: (n) => {
          if (n === 2) throw new Error('two');
          return n % 2 === 1;
        },
      });
      const error = errorWith({ code: 'PROCESSING', where: { operator: 'branch' } });
      expectObservable(by.odd).toBe('-a-#', records, error);
      expectObservable(by.rest).toBe('---#', records, error);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('passes an error of the source on to every branch', () => {
    marbles(({ cold, expectObservable }) => {
      const by = branch(cold('-a-#', records), { odd: (n) => n % 2 === 1 });
      expectObservable(by.odd).toBe(' -a-#', records);
      expectObservable(by.rest).toBe('---#');
    });
  });

  it('leaves the source when its last branch is unsubscribed, not before', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-d-', records);
      const by = branch(source, { odd: (n) => n % 2 === 1 });
      expectObservable(by.odd, ' --!').toBe('-a', records);
      expectObservable(by.rest, '----!').toBe('---b', records);
      expectSubscriptions(source.subscriptions).toBe('^---!');
    });
  });

  it('gives branches that later operators take like any stream', () => {
    marbles(({ cold, expectObservable }) => {
      const by = branch(cold('-a-b-|', records), { odd: (n) => n % 2 === 1 });
      const both = merge(by.odd.pipe(mapValues((n) => `odd ${n}`)), by.rest.pipe(mapValues((n) => `rest ${n}`)));
      expectObservable(both).toBe('-x-y-|', { x: record('k', 'odd 1', 10), y: record('k', 'rest 2', 20) });
    });
  });

  it('refuses a predicate named rest', () => {
    expect(() => branch(new Subject<(typeof records)['a']>(), { rest: () => true })).toThrow(
      errorWith({ code: 'CONFIG', where: { operator: 'branch', option: 'rest' } }),
    );
  });
});
