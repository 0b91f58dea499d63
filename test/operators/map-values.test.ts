import { of } from 'rxjs';
import { mapValues } from '../../operators';
import { record } from '../../src/testing';
import { errorWith } from './errors';
import { marbles } from './marbles';

const a = record('a', 1, 10);
const b = record('b', 2, 20);

describe('mapValues', () => {
  it('gives each record the value that is made of it, and keeps key and timestamp', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-|', { a, b });
      const subs = '        ^----!';
      const out = '         -x-y-|';
      expectObservable(source.pipe(mapValues((value) => `n${value}`))).toBe(out, { x: record('a', 'n1', 10), y: record('b', 'n2', 20) });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('hands the function value and record, a null value too', () => {
    const seen: unknown[] = [];
    const tombstone = record('a', null, 1);
    of(tombstone)
      .pipe(mapValues((...both) => seen.push(...both)))
      .subscribe();
    expect(seen).toEqual([null, tombstone]);
  });

  it('ends with PROCESSING when the function throws', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-|', { a, b });
      const failing = source.pipe(
        mapValues((value) => {
          if (value === 2) throw new Error('two');
          return value;
        }),
      );
      const error = errorWith({
        code: 'PROCESSING',
        message: 'PROCESSING: mapValues: two',
        where: { operator: 'mapValues' },
      });
      expectObservable(failing).toBe('-a-#', { a }, error);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('passes an error of the source on as it is', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('-a-#', { a }).pipe(mapValues((value) => value))).toBe('-a-#', { a });
    });
  });

  it('unsubscribes from its source when it is unsubscribed', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-a-b', { a, b });
      expectObservable(source.pipe(mapValues((value) => value)), '----!').toBe('-a-b', { a, b });
      expectSubscriptions(source.subscriptions).toBe('^---!');
    });
  });
});
