import { Subject } from 'rxjs';
import { aggregateWithStore, windowTumbling } from '../../operators';
import { record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { inWindow, numberStore, windowedStore, windows } from './stores';

const sum = { initial: () => 0, add: (total: number, value: number) => total + value };
/** Gives null when the sum is 0. */
const sumOrNull = { initial: () => 0, add: (total: number, value: number) => (total + value || null) as number };

describe('aggregateWithStore over a key-value store', () => {
  it('adds each value to the aggregate of its key, with the greater of the timestamps', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-|', { a: record('k', 1, 5), b: record('m', 5, 1), c: record('k', 2, 3) });
      const subs = '        ^------!';
      const out = '         -x-y-z-|';
      expectObservable(source.pipe(aggregateWithStore(numberStore(), { ...sum, initial: () => 100 }))).toBe(out, {
        x: record('k', 101, 5),
        y: record('m', 105, 1),
        z: record('k', 103, 5),
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('hands the function aggregate, value and record', () => {
    const source = new Subject<ReturnType<typeof record<string, number>>>();
    const seen: unknown[] = [];
    source.pipe(aggregateWithStore(numberStore(), { initial: () => 7, add: (...all) => seen.push(...all) })).subscribe();
    const first = record('k', 1, 5);
    source.next(first);
    expect(seen).toEqual([7, 1, first]);
  });

  it('deletes on null and says so; the next value starts afresh, its time too', () => {
    const store = numberStore();
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c|', { a: record('k', 5, 10), b: record('k', -5, 3), c: record('k', 7, 2) });
      expectObservable(source.pipe(aggregateWithStore(store, sumOrNull))).toBe('-x-y-z|', {
        x: record('k', 5, 10),
        y: record('k', null, 10),
        z: record('k', 7, 2),
      });
    });
    expect(store.get('k')).toBe(7);
  });

  it('drops null values without calling the function', () => {
    const store = numberStore();
    const add = jest.fn(sum.add);
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-|', { a: record('k', null as unknown as number, 5) });
      expectObservable(source.pipe(aggregateWithStore(store, { ...sum, add }))).toBe('---|');
    });
    expect(add).not.toHaveBeenCalled();
    expect(droppedRecords(store)).toBe(1);
  });

  it('ends with PROCESSING when a function throws, keeps the cause, and stores nothing', () => {
    const cause = new TypeError('no number');
    const store = numberStore();
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-|', { a: record('k', 1, 5), b: record('k', 2, 6) });
      const failing = source.pipe(
        aggregateWithStore(store, {
          initial: () => 0,
          add: (total, value) => {
            if (value === 2) throw cause;
            return total + value;
          },
        }),
      );
      expectObservable(failing).toBe(
        '-x-#',
        { x: record('k', 1, 5) },
        errorWith({ code: 'PROCESSING', cause, where: { operator: 'aggregateWithStore' } }),
      );
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
    expect(store.get('k')).toBe(1);
  });

  it('keeps the origin of each record, and with it the headers', () => {
    const source = new Subject<ReturnType<typeof record<string, number>>>();
    const origins: unknown[] = [];
    source.pipe(aggregateWithStore(numberStore(), sum)).subscribe(({ origin }) => origins.push(origin));
    const sent = record('k', 1, 5, { trace: 'x' });
    source.next(sent);
    expect(origins).toEqual([sent.origin]);
  });

  it('unsubscribes from its source when it is unsubscribed', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-a', { a: record('k', 1, 5) });
      expectObservable(source.pipe(aggregateWithStore(numberStore(), sum)), '--!').toBe('-x', { x: record('k', 1, 5) });
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });
});

describe('aggregateWithStore over a window store', () => {
  it('keeps an aggregate for each key and window; each update is emitted', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c-|', { a: record('k', 1, 8), b: record('k', 2, 12), c: record('k', 4, 3) });
      expectObservable(source.pipe(windowTumbling(windows), aggregateWithStore(windowedStore(), sum))).toBe('-x-y-z-|', {
        x: inWindow('k', 0, 1, 8),
        y: inWindow('k', 10, 2, 12),
        z: inWindow('k', 0, 5, 8),
      });
    });
  });

  it('emits the final aggregate on close', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c-|', { a: record('k', 1, 8), b: record('k', 4, 3), c: record('k', 2, 15) });
      expectObservable(source.pipe(windowTumbling(windows), aggregateWithStore(windowedStore(), { ...sum, emit: 'close' }))).toBe(
        '-----x-|',
        {
          x: inWindow('k', 0, 5, 8),
        },
      );
    });
  });

  it('deletes on null; a window without rows closes without a word', () => {
    marbles(({ cold, expectObservable }) => {
      const records = { a: record('k', 1, 1), b: record('k', -1, 2), c: record('k', 3, 15) };
      const updates = cold('-a-b-c-|', records).pipe(windowTumbling(windows), aggregateWithStore(windowedStore(), sumOrNull));
      expectObservable(updates).toBe('-x-y-z-|', { x: inWindow('k', 0, 1, 1), y: inWindow('k', 0, null, 2), z: inWindow('k', 10, 3, 15) });
      const closed = cold('-a-b-c-|', records).pipe(
        windowTumbling(windows),
        aggregateWithStore(windowedStore(), { ...sumOrNull, emit: 'close' }),
      );
      expectObservable(closed).toBe('-------|');
    });
  });

  it('emits only what changes the bytes of the value on change', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c-d-e|', {
        a: record('k', 1, 1),
        b: record('k', 0, 2),
        c: record('k', 2, 3),
        d: record('k', -3, 4),
        e: record('m', 0, 5),
      });
      const changes = source.pipe(windowTumbling(windows), aggregateWithStore(windowedStore(), { ...sumOrNull, emit: 'change' }));
      expectObservable(changes).toBe('-x---y-z--|', {
        x: inWindow('k', 0, 1, 1),
        y: inWindow('k', 0, 3, 3),
        z: inWindow('k', 0, null, 4),
      });
    });
  });

  it('ends with PROCESSING when a function throws', () => {
    marbles(({ cold, expectObservable }) => {
      const failing = cold('-a-|', { a: record('k', 1, 5) }).pipe(
        windowTumbling(windows),
        aggregateWithStore(windowedStore(), {
          initial: () => {
            throw new Error('no start');
          },
          add: (total: number) => total,
        }),
      );
      expectObservable(failing).toBe('-#', {}, errorWith({ code: 'PROCESSING', where: { operator: 'aggregateWithStore' } }));
    });
  });
});
