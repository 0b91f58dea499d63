import { reduceWithStore, windowTumbling } from '../../operators';
import { record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { inWindow, numberStore, windowedStore, windows } from './stores';

const greatest = { reduce: (a: number, b: number) => Math.max(a, b) };

describe('reduceWithStore', () => {
  it('takes the first value of a key as it is and reduces from there', () => {
    const reduce = jest.fn(greatest.reduce);
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-|', { a: record('k', 3, 1), b: record('k', 1, 5), c: record('k', 8, 2) });
      const subs = '        ^------!';
      const out = '         -x-y-z-|';
      expectObservable(source.pipe(reduceWithStore(numberStore(), { reduce }))).toBe(out, {
        x: record('k', 3, 1),
        y: record('k', 3, 5),
        z: record('k', 8, 5),
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
    expect(reduce.mock.calls).toEqual([
      [3, 1],
      [3, 8],
    ]);
  });

  it('drops null values of a stream without windows', () => {
    const store = numberStore();
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-|', { a: record('k', null as unknown as number, 1), b: record('k', 3, 2) });
      expectObservable(source.pipe(reduceWithStore(store, greatest))).toBe('---x-|', { x: record('k', 3, 2) });
    });
    expect(droppedRecords(store)).toBe(1);
  });

  it('keeps one value a window, and emits it on close when told to', () => {
    marbles(({ cold, expectObservable }) => {
      const records = { a: record('k', 3, 1), b: record('k', 8, 5), c: record('k', 1, 15) };
      const updates = cold('-a-b-c-|', records).pipe(windowTumbling(windows), reduceWithStore(windowedStore(), greatest));
      expectObservable(updates).toBe('-x-y-z-|', { x: inWindow('k', 0, 3, 1), y: inWindow('k', 0, 8, 5), z: inWindow('k', 10, 1, 15) });
      const closed = cold('-a-b-c-|', records).pipe(
        windowTumbling(windows),
        reduceWithStore(windowedStore(), { ...greatest, emit: 'close' }),
      );
      expectObservable(closed).toBe('-----y-|', { y: inWindow('k', 0, 8, 5) });
    });
  });

  it('takes a null first value of a window as a deletion, and hands later nulls to the function', () => {
    marbles(({ cold, expectObservable }) => {
      const [a, b, c] = [record('k', null as unknown as number, 1), record('k', 4, 2), record('k', null as unknown as number, 3)];
      const updates = cold('-a-b-c-|', { a, b, c }).pipe(
        windowTumbling(windows),
        reduceWithStore(windowedStore(), { reduce: (x: number, y: number | null) => x + (y ?? 100) }),
      );
      expectObservable(updates).toBe('-x-y-z-|', { x: inWindow('k', 0, null, 1), y: inWindow('k', 0, 4, 2), z: inWindow('k', 0, 104, 3) });
    });
  });

  it('ends with PROCESSING when the function throws, and leaves its source', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-a-|', { a: record('k', 1, 1) });
      const failing = source.pipe(
        reduceWithStore(numberStore(), {
          reduce: () => {
            throw new Error('no');
          },
        }),
      );
      expectObservable(failing).toBe(
        '-x-#',
        { x: record('k', 1, 1) },
        errorWith({ code: 'PROCESSING', where: { operator: 'reduceWithStore' } }),
      );
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('unsubscribes from its source when it is unsubscribed', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-a', { a: record('k', 1, 5) });
      expectObservable(source.pipe(reduceWithStore(numberStore(), greatest)), '--!').toBe('-x', { x: record('k', 1, 5) });
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });
});
