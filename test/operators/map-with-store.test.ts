import { NEVER } from 'rxjs';
import { mapWithStore } from '../../operators';
import { memoryStore, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { nullableNumbers, numberStore } from './stores';

/** The difference to the last value of the key. */
const difference = { initial: () => 0, step: (last: number, value: number) => [value, value - last] as const };

describe('mapWithStore', () => {
  it('maps each record with the state of its key, and keeps key, timestamp and origin of the record', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-|', { a: record('k', 5, 9), b: record('m', 1, 2), c: record('k', 7, 3) });
      const subs = '        ^------!';
      const out = '         -x-y-z-|';
      expectObservable(source.pipe(mapWithStore(numberStore(), difference))).toBe(out, {
        x: record('k', 5, 9),
        y: record('m', 1, 2),
        z: record('k', 2, 3),
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('goes on from the stored state', () => {
    const store = numberStore();
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('a|', { a: record('k', 5, 1) }).pipe(mapWithStore(store, difference))).toBe('x|', { x: record('k', 5, 1) });
    });
    expect(store.get('k')).toBe(5);
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('a|', { a: record('k', 7, 2) }).pipe(mapWithStore(store, difference))).toBe('x|', { x: record('k', 2, 2) });
    });
  });

  it('deletes a null state: the next record starts from initial', () => {
    const store = memoryStore(nullableNumbers);
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c|', { a: record('k', 5, 1), b: record('k', 0, 2), c: record('k', 3, 3) });
      const mapped = source.pipe(
        mapWithStore(store, { initial: () => 1000, step: (state: number | null, value) => [value === 0 ? null : value, state] as const }),
      );
      expectObservable(mapped).toBe('-x-y-z|', { x: record('k', 1000, 1), y: record('k', 5, 2), z: record('k', 1000, 3) });
    });
    expect(store.get('k')).toBe(3);
  });

  it('drops null keys and counts them; null values go to the step', () => {
    const store = numberStore();
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-|', {
        a: record<string, number | null>(null as unknown as string, 1, 1),
        b: record<string, number | null>('k', null, 2),
      });
      expectObservable(source.pipe(mapWithStore(store, { initial: () => 0, step: (state, value) => [state + 1, value] as const }))).toBe(
        '---x-|',
        {
          x: record('k', null, 2),
        },
      );
    });
    expect(droppedRecords(store)).toBe(1);
  });

  it('ends with PROCESSING when the step throws, and leaves its source', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-|', { a: record('k', 5, 1), b: record('k', 7, 2) });
      const failing = source.pipe(
        mapWithStore(numberStore(), {
          initial: () => 0,
          step: (last: number, value: number) => {
            if (last > 0) throw new Error('no');
            return [value, value] as const;
          },
        }),
      );
      expectObservable(failing).toBe(
        '-x-#',
        { x: record('k', 5, 1) },
        errorWith({ code: 'PROCESSING', where: { operator: 'mapWithStore' } }),
      );
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('unsubscribes from its source, and may then be subscribed again', () => {
    const store = numberStore();
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-a', { a: record('k', 5, 1) });
      expectObservable(source.pipe(mapWithStore(store, difference)), '--!').toBe('-x', { x: record('k', 5, 1) });
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
    const errors: unknown[] = [];
    NEVER.pipe(mapWithStore(store, difference)).subscribe({ error: (error) => errors.push(error) });
    expect(errors).toEqual([]);
  });
});
