/** What every operator does the same way. */
import { from, of, take } from 'rxjs';
import { aggregateWithStore, mapValues, windowTumbling } from '../../operators';
import { MillraceError } from '../../src/errors/millrace-error';
import { record } from '../../src/testing';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { numberStore, windowedStore, windows } from './stores';

describe('every operator', () => {
  it('keeps the code of an error that has one, and adds its own name to the place', () => {
    marbles(({ cold, expectObservable }) => {
      const fractions = cold('-a-|', { a: record('k', 0.5, 1) }).pipe(
        windowTumbling(windows),
        aggregateWithStore(windowedStore(), { initial: () => 0, add: (sum, value) => sum + value }),
      );
      const error = errorWith({ code: 'ENCODE', where: { store: 'windowed-numbers', operator: 'aggregateWithStore' } });
      expectObservable(fractions).toBe('-#', {}, error);
    });
  });

  it('leaves an error alone that names its operator already', () => {
    const own = new MillraceError('DECODE', 'no', { where: { operator: 'inner' } });
    const errors: unknown[] = [];
    of(record('k', 1, 1))
      .pipe(
        mapValues(() => {
          throw own;
        }),
      )
      .subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors[0]).toBe(own);
  });

  it('says what was thrown when it was no error', () => {
    const errors: unknown[] = [];
    of(record('k', 1, 1))
      .pipe(
        mapValues(() => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error
          throw 'a text';
        }),
      )
      .subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).toEqual([errorWith({ code: 'PROCESSING', message: 'mapValues: a text', cause: 'a text' })]);
  });

  it('touches no state once it is unsubscribed, not even while a source emits in its subscription', () => {
    const store = numberStore();
    const source = from([record('k', 1, 1), record('k', 2, 2), record('k', 4, 3)]);
    const seen: number[] = [];
    source
      .pipe(aggregateWithStore(store, { initial: () => 0, add: (sum, value) => sum + value }), take(1))
      .subscribe(({ value }) => seen.push(value));
    expect(seen).toEqual([1]);
    expect(store.get('k')).toBe(1);
  });
});
