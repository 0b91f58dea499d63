import { of } from 'rxjs';
import { countWithStore, windowBy } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import type { Window, WindowAssigner } from '../../src/model/window';
import { windowStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { windowRows } from '../../src/testing/store-rows';
import { errorWith } from './errors';
import { marbles } from './marbles';

const at = (timestamp: number) => record('k', 'v', timestamp);
const counted = ({ start, end }: Window, count: number, timestamp: number) => record({ key: 'k', start, end }, count, timestamp);

/** [0, 4) and [4, 9); nothing from 9 on. */
const [first, second] = [
  { start: 0, end: 4 },
  { start: 4, end: 9 },
];
const shifts: WindowAssigner = {
  windowsOf: (timestamp) => [first, second].filter(({ start, end }) => start <= timestamp && timestamp < end),
  endOf: (start) => (start === 0 ? 4 : 9),
  grace: 2,
};
const storeFor = (windows: WindowAssigner, retention?: number) =>
  memoryStore(windowStore('counts', { key: string, value: int64, windows, ...(retention !== undefined && { retention }) }));

/** One window, from 100 on. */
const since: WindowAssigner = {
  windowsOf: (timestamp) => (timestamp < 100 ? [] : [{ start: 100, end: Infinity }]),
  endOf: () => Infinity,
};

function whatBecomesOf(assigner: WindowAssigner, ...timestamps: number[]): unknown {
  let found: unknown;
  of(...timestamps.map(at))
    .pipe(windowBy(assigner))
    .subscribe({ next: ({ windows }) => (found = windows), error: (error: unknown) => (found = error) });
  return found;
}

describe('windowBy', () => {
  it('puts each record into the windows it is given, none included', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-|', { a: at(3), b: at(4), c: at(9) });
      const subs = '        ^------!';
      const out = '         -x-y-z-|';
      expectObservable(source.pipe(windowBy(shifts))).toBe(out, {
        x: { record: at(3), windows: [first], by: shifts },
        y: { record: at(4), windows: [second], by: shifts },
        z: { record: at(9), windows: [], by: shifts },
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('lets them be late by their end and their grace, and close then', () => {
    const late: number[] = [];
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c-d-e-|', { a: at(1), b: at(5), c: at(2), d: at(6), e: at(3) });
      const counting = countWithStore<string, string>(storeFor(shifts), {
        emit: 'close',
        late: { next: ({ record: { timestamp } }) => late.push(timestamp) },
      });
      expectObservable(source.pipe(windowBy(shifts), counting)).toBe('-------x---|', { x: counted(first, 2, 2) });
    });
    expect(late).toEqual([3]);
  });

  it('moves stream time by a record that is in no window, and counts it nowhere', () => {
    const store = storeFor(shifts);
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-|', { a: at(5), b: at(20) });
      expectObservable(source.pipe(windowBy(shifts), countWithStore(store, { emit: 'close' }))).toBe('---x-|', {
        x: counted(second, 1, 5),
      });
    });
    expect(droppedRecords(store)).toBe(0);
  });

  it('writes a window that never ends and starts when one says: what came before is left out, and is not late', () => {
    const store = storeFor(since);
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c-|', { a: at(99), b: at(5_000_000), c: at(100) });
      const forever = { start: 100, end: Infinity };
      expectObservable(source.pipe(windowBy(since), countWithStore(store))).toBe('---x-y-|', {
        x: counted(forever, 1, 5_000_000),
        y: counted(forever, 2, 5_000_000),
      });
    });
    expect(droppedRecords(store)).toBe(0);
    expect(store.get('k', 100)).toBe(2);
  });

  it("refuses emit 'close' at a window that never ends", () => {
    marbles(({ cold, expectObservable }) => {
      const closing = cold('-a-b-|', { a: at(99), b: at(100) }).pipe(windowBy(since), countWithStore(storeFor(since), { emit: 'close' }));
      const error = errorWith({ code: 'CONFIG', message: /emit 'close'/, where: { operator: 'countWithStore', option: 'emit' } });
      expectObservable(closing).toBe('---#', {}, error);
    });
  });

  describe('over a store', () => {
    const starts = async (store: ReturnType<typeof storeFor>): Promise<number[]> =>
      (await windowRows(store, { andAtTheBound: false })).map(({ window }) => window.start);

    it.each(['update', 'close'] as const)('reads a window until it closes, and removes it then: emit %s', async (emit) => {
      const store = storeFor(shifts);
      of(at(1), at(5)).pipe(windowBy(shifts), countWithStore(store, { emit })).subscribe();
      expect(await starts(store)).toEqual([0, 4]);
      of(at(6)).pipe(windowBy(shifts), countWithStore(store, { emit })).subscribe();
      expect([store.get('k', 0), await starts(store)]).toEqual([undefined, [4]]);
      of(at(11)).pipe(windowBy(shifts), countWithStore(store, { emit })).subscribe();
      expect(await starts(store)).toEqual([]);
    });

    it('reads a closed window as long as the retention says', async () => {
      const store = storeFor(shifts, 5);
      of(at(1), at(5), at(100)).pipe(windowBy(shifts), countWithStore(store)).subscribe();
      expect(await starts(store)).toEqual([0, 4]);
      const shorter = storeFor(shifts, 4);
      of(at(1), at(5), at(100)).pipe(windowBy(shifts), countWithStore(shorter)).subscribe();
      expect(await starts(shorter)).toEqual([4]);
    });

    it('reads an open window however short the retention is', () => {
      const store = storeFor(shifts, 0);
      of(at(1), at(5), at(2)).pipe(windowBy(shifts), countWithStore(store)).subscribe();
      expect([store.get('k', 0), store.get('k', 4)]).toEqual([2, 1]);
    });

    it('refuses a store that was declared for another assigner, at assembly, even for one that looks alike', () => {
      expect(() => of(at(1)).pipe(windowBy({ ...shifts }), countWithStore(storeFor(shifts)))).toThrow(
        errorWith({ code: 'STORE_WINDOWS', where: { operator: 'countWithStore', store: 'counts' } }),
      );
    });
  });

  describe('ends with WINDOW_ASSIGNER when windowsOf', () => {
    const giving = (...windows: readonly Window[]): WindowAssigner => ({
      windowsOf: () => windows,
      endOf: (start) => windows.find((window) => Object.is(window.start, start))?.end ?? start + 1,
    });

    it.each<readonly [string, WindowAssigner, RegExp]>([
      [
        'gives windows out of order',
        giving({ start: 4, end: 9 }, { start: 0, end: 9 }),
        /\[4, 9\), \[0, 9\): the start 0 does not come after 4/,
      ],
      ['gives a window twice', giving({ start: 4, end: 9 }, { start: 4, end: 9 }), /does not come after 4/],
      ['gives a window that the timestamp comes before', giving({ start: 6, end: 9 }), /timestamp 5 .* \[6, 9\) does not hold it/],
      ['gives a window that ends at the timestamp', giving({ start: 0, end: 5 }), /\[0, 5\) does not hold it/],
      ['gives a start below 0', giving({ start: -1, end: 9 }), /the start -1 is no whole number/],
      ['gives a fraction as start', giving({ start: 0.5, end: 9 }), /the start 0.5 is no whole number/],
      ['gives NaN as start', giving({ start: NaN, end: 9 }), /the start NaN is no whole number/],
      ['gives a start beyond 2^53', giving({ start: 2 ** 53, end: Infinity }), /the start 9007199254740992 is no whole number/],
      ['gives a fraction as end', giving({ start: 0, end: 9.5 }), /the end 9.5 is neither/],
      ['gives NaN as end', giving({ start: 0, end: NaN }), /the end NaN is neither/],
      ['gives an end that is the start', giving({ start: 5, end: 5 }), /the end 5 is neither/],
      ['gives an end that endOf does not', { windowsOf: () => [first], endOf: () => 5 }, /endOf\(0\) is 5, not 4/],
      [
        'gives windows of which a later one ends earlier',
        giving({ start: 0, end: 9 }, { start: 4, end: 8 }),
        /\[4, 8\) starts after \[0, 9\)/,
      ],
      ['gives no array', { windowsOf: () => undefined, endOf: () => 0 } as unknown as WindowAssigner, /gave undefined: that is no array/],
    ])('%s', (_, assigner, message) => {
      const timestamp = message.source.includes('endOf') ? 2 : 5;
      expect(whatBecomesOf(assigner, timestamp)).toEqual(
        errorWith({ code: 'WINDOW_ASSIGNER', message, where: { operator: 'windowBy', option: 'windowsOf' } }),
      );
    });

    it('gives the array again for a timestamp that it does not hold', () => {
      const windows = [first];
      expect(whatBecomesOf({ windowsOf: () => windows, endOf: () => 4 }, 3, 4)).toMatchObject({ code: 'WINDOW_ASSIGNER' });
    });

    it('gives a window that ends before one that started earlier, record by record', () => {
      const [wide, narrow] = [
        { start: 0, end: 9 },
        { start: 4, end: 8 },
      ];
      const assigner: WindowAssigner = { windowsOf: (time) => (time < 4 ? [wide] : [narrow]), endOf: (start) => (start === 0 ? 9 : 8) };
      expect(whatBecomesOf(assigner, 3)).toEqual([wide]);
      expect(whatBecomesOf(assigner, 5)).toEqual([narrow]);
      expect(whatBecomesOf(assigner, 3, 5)).toMatchObject({ code: 'WINDOW_ASSIGNER' });
      expect(whatBecomesOf(assigner, 5, 3)).toMatchObject({ code: 'WINDOW_ASSIGNER' });
    });
  });

  it('names at most a few of many windows', () => {
    const many = Array.from({ length: 100 }, (_, start) => ({ start, end: 200 }));
    const error = whatBecomesOf({ windowsOf: () => many, endOf: () => 200 }, 50) as Error;
    expect(error.message).toMatch(/\[4, 200\), and 95 more: \[51, 200\) does not hold it$/);
  });

  it('takes windows that share an end, and ends beyond 2^53', () => {
    const nested = [
      { start: 0, end: 10 },
      { start: 5, end: 10 },
    ];
    expect(whatBecomesOf({ windowsOf: () => nested, endOf: () => 10 }, 7)).toEqual(nested);
    const last = [{ start: 0, end: 2 ** 54 }];
    expect(whatBecomesOf({ windowsOf: () => last, endOf: () => 2 ** 54 }, 2 ** 53 - 1)).toEqual(last);
  });

  it('ends with PROCESSING when a function throws', () => {
    const cause = new Error('no idea');
    const assigner: WindowAssigner = {
      windowsOf: () => {
        throw cause;
      },
      endOf: () => 0,
    };
    expect(whatBecomesOf(assigner, 1)).toEqual(errorWith({ code: 'PROCESSING', cause, where: { operator: 'windowBy' } }));
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('ends with INVALID_TIMESTAMP at the timestamp %d, without asking', (timestamp) => {
    const windowsOf = jest.fn(() => []);
    expect(whatBecomesOf({ windowsOf, endOf: () => 0 }, timestamp)).toMatchObject({ code: 'INVALID_TIMESTAMP' });
    expect(windowsOf).not.toHaveBeenCalled();
  });

  it.each([
    [-1, 'is -1;'],
    [0.5, 'is 0.5;'],
    [NaN, 'is NaN;'],
  ])('refuses a grace of %d at assembly', (grace, part) => {
    expect(() => windowBy({ ...shifts, grace })).toThrow(
      errorWith({ code: 'WINDOW_GRACE', message: `windowBy: the option grace ${part}`, where: { operator: 'windowBy', option: 'grace' } }),
    );
  });

  it.each([{ size: 10 }, { windowsOf: () => [] }, { windowsOf: 5, endOf: 5 }, null])(
    'refuses %p at assembly: that is no assigner',
    (windows) => {
      expect(() => windowBy(windows as unknown as WindowAssigner)).toThrow(errorWith({ code: 'CONFIG', message: 'windowBy: ' }));
    },
  );
});
