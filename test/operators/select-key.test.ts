import { of, Subject } from 'rxjs';
import { selectKey } from '../../operators';
import { record } from '../../src/testing';
import { errorWith } from './errors';
import { marbles } from './marbles';

const a = record('a', 1, 10);
const b = record('b', 2, 20);

describe('selectKey', () => {
  it('gives each record the key that is selected, and keeps value, timestamp and headers', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-|', { a, b });
      const subs = '        ^----!';
      const out = '         -x-y-|';
      expectObservable(source.pipe(selectKey((value) => value * 2))).toBe(out, { x: record(2, 1, 10), y: record(4, 2, 20) });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
    const headers = { trace: 'x' };
    of(record('a', 1, 10, headers))
      .pipe(selectKey(() => 'k'))
      .subscribe((moved) => expect(moved.headers.get('trace')).toEqual(Buffer.from('x')));
    expect.assertions(3);
  });

  it('hands the function value and record', () => {
    const seen: unknown[] = [];
    of(a)
      .pipe(selectKey((...both) => seen.push(...both)))
      .subscribe();
    expect(seen).toEqual([1, a]);
  });

  it('ends with PROCESSING when the function throws, keeps the cause and leaves its source', () => {
    const cause = new Error('no product');
    const source = new Subject<typeof a>();
    const errors: unknown[] = [];
    source
      .pipe(
        selectKey((value) => {
          if (value === 2) throw cause;
          return value;
        }),
      )
      .subscribe({ error: (error) => errors.push(error) });
    source.next(a);
    source.next(b);
    expect(errors).toEqual([errorWith({ code: 'PROCESSING', cause, where: { operator: 'selectKey' } })]);
    expect(source.observed).toBe(false);
  });

  it('passes an error of the source on as it is', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('-a-#', { a }).pipe(selectKey(() => 'k'))).toBe('-x-#', { x: record('k', 1, 10) });
    });
  });

  it('unsubscribes from its source when it is unsubscribed', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-a-b', { a, b });
      const unsub = '      ----!';
      expectObservable(source.pipe(selectKey(() => 'k')), unsub).toBe('-x-y', { x: record('k', 1, 10), y: record('k', 2, 20) });
      expectSubscriptions(source.subscriptions).toBe('^---!');
    });
  });
});
