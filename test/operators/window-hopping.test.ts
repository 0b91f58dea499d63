import { of } from 'rxjs';
import { countWithStore, windowHopping } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import type { ErrorCode } from '../../src/errors/codes';
import { windowStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { errorWith } from './errors';
import { marbles } from './marbles';

const hops = { size: 6, advance: 3, grace: 2 };
const at = (timestamp: number) => record('k', 'v', timestamp);
const hop = (start: number) => ({ start, end: start + hops.size });
const counted = (start: number, count: number, timestamp: number) => record({ key: 'k', ...hop(start) }, count, timestamp);
const countStore = () => memoryStore(windowStore('counts', { key: string, value: int64, windows: hops }));

function startsFor(timestamp: number, size: number, advance: number): unknown {
  let found: unknown;
  of(at(timestamp))
    .pipe(windowHopping({ size, advance }))
    .subscribe({ next: ({ windows }) => (found = windows.map(({ start }) => start)), error: (error: unknown) => (found = error) });
  return found;
}

describe('windowHopping', () => {
  it('puts each record into every window that holds its timestamp, by ascending start', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-|', { a: at(1), b: at(7), c: at(5) });
      const subs = '        ^------!';
      const out = '         -x-y-z-|';
      expectObservable(source.pipe(windowHopping(hops))).toBe(out, {
        x: { record: at(1), windows: [hop(0)], by: hops },
        y: { record: at(7), windows: [hop(3), hop(6)], by: hops },
        z: { record: at(5), windows: [hop(0), hop(3)], by: hops },
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('updates each window of a record, by ascending start', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a----b----|', { a: at(4), b: at(7) });
      expectObservable(source.pipe(windowHopping(hops), countWithStore(countStore()))).toBe('-(wx)-(yz)-|', {
        w: counted(0, 1, 4),
        x: counted(3, 1, 4),
        y: counted(3, 2, 7),
        z: counted(6, 1, 7),
      });
    });
  });

  it('lets a late record into the windows that are still open; each of the others refuses it and counts it', () => {
    const store = countStore();
    marbles(({ cold, expectObservable }) => {
      const late: number[] = [];
      const source = cold('-a----b-|', { a: at(8), b: at(5) });
      const open = source.pipe(windowHopping(hops), countWithStore(store, { late: { next: ({ window }) => late.push(window.start) } }));
      // At 8, with grace 2, the window that ends at 6 has closed; the one that ends at 9 has not.
      expectObservable(open).toBe('-(xy)-z-|', { x: counted(3, 1, 8), y: counted(6, 1, 8), z: counted(3, 2, 8) });
    });
    expect(droppedRecords(store)).toBe(1);
  });

  it('closes each window on its own', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c----|', { a: at(4), b: at(8), c: at(14) });
      expectObservable(source.pipe(windowHopping(hops), countWithStore(countStore(), { emit: 'close' }))).toBe('---w-(xy)-|', {
        w: counted(0, 1, 4),
        x: counted(3, 2, 8),
        y: counted(6, 1, 8),
      });
    });
  });

  it.each([
    [0, 10, 5, [0]],
    [4, 100, 10, [0]],
    [21, 12, 5, [10, 15, 20]],
    [22, 12, 5, [15, 20]],
    [7, 6, 5, [5]],
    [5, 6, 5, [0, 5]],
    [7, 3, 1, [5, 6, 7]],
    [12, 10, 10, [10]],
    [2 ** 53 - 1, 2 ** 53 - 1, 2 ** 52, [2 ** 52]],
    [2 ** 53 - 1, 20, 10, [2 ** 53 - 12, 2 ** 53 - 2]],
  ])('puts time %d with size %d and advance %d into the windows that start at %p', (timestamp, size, advance, starts) => {
    expect(startsFor(timestamp, size, advance)).toEqual(starts);
  });

  it('gives neighbours the same array', () => {
    const seen = new Set<unknown>();
    of(at(6), at(8), at(3), at(7), at(4))
      .pipe(windowHopping(hops))
      .subscribe(({ windows }) => seen.add(windows));
    expect(seen.size).toBe(2);
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('ends with INVALID_TIMESTAMP at the timestamp %d', (timestamp) => {
    expect(startsFor(timestamp, 10, 5)).toMatchObject({ code: 'INVALID_TIMESTAMP', where: { operator: 'windowHopping' } });
  });

  it.each<readonly [{ size: number; advance?: number; grace?: number }, ErrorCode, string, unknown]>([
    [{ size: 0, advance: 1 }, 'WINDOW_SIZE', 'size', 0],
    [{ size: -1, advance: 1 }, 'WINDOW_SIZE', 'size', -1],
    [{ size: 1.5, advance: 1 }, 'WINDOW_SIZE', 'size', 1.5],
    [{ size: NaN, advance: 1 }, 'WINDOW_SIZE', 'size', NaN],
    [{ size: Infinity, advance: 1 }, 'WINDOW_SIZE', 'size', Infinity],
    [{ size: 10, advance: 0 }, 'WINDOW_ADVANCE', 'advance', 0],
    [{ size: 10, advance: -5 }, 'WINDOW_ADVANCE', 'advance', -5],
    [{ size: 10, advance: 11 }, 'WINDOW_ADVANCE', 'advance', 11],
    [{ size: 10, advance: 2.5 }, 'WINDOW_ADVANCE', 'advance', 2.5],
    [{ size: 10, advance: NaN }, 'WINDOW_ADVANCE', 'advance', NaN],
    [{ size: 10 }, 'WINDOW_ADVANCE', 'advance', undefined],
    [{ size: Infinity, advance: Infinity }, 'WINDOW_ADVANCE', 'advance', Infinity],
    [{ size: 10, advance: 5, grace: -1 }, 'WINDOW_GRACE', 'grace', -1],
    [{ size: 10, advance: 5, grace: 0.5 }, 'WINDOW_GRACE', 'grace', 0.5],
    [{ size: 10, advance: 5, grace: NaN }, 'WINDOW_GRACE', 'grace', NaN],
  ])('refuses %p at assembly with %s, naming option and value', (windows, code, option, value) => {
    expect(() => windowHopping(windows as { size: number; advance: number })).toThrow(
      errorWith({
        code,
        message: `windowHopping: the option ${option} is ${String(value)};`,
        where: { operator: 'windowHopping', option },
      }),
    );
  });

  it('refuses a store that was declared for other windows, at assembly', () => {
    const source = of(at(1)).pipe(windowHopping({ size: 6, advance: 2, grace: 2 }));
    expect(() => source.pipe(countWithStore(countStore()))).toThrow(
      errorWith({ code: 'STORE_WINDOWS', message: /"advance":2.*"advance":3/, where: { operator: 'countWithStore', store: 'counts' } }),
    );
  });

  it('passes an error of the source on as it is', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('-a-#', { a: at(1) }).pipe(windowHopping(hops))).toBe('-x-#', {
        x: { record: at(1), windows: [hop(0)], by: hops },
      });
    });
  });
});
