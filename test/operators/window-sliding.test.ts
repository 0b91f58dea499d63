import { of, Subject } from 'rxjs';
import {
  aggregateWithStore,
  countWithStore,
  type Emit,
  type LateRecord,
  reduceWithStore,
  windowHopping,
  windowSliding,
} from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import type { ErrorCode } from '../../src/errors/codes';
import type { KafkaRecord } from '../../src/model/record';
import type { WindowStore } from '../../src/model/store-definition';
import type { InWindows, SlidingWindows } from '../../src/model/window';
import { windowStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { rowsByKey } from '../../src/testing/store-rows';
import { errorWith } from './errors';
import { marbles } from './marbles';

const ten = { difference: 10 };
const LAST = 2 ** 53 - 1;
const at = (timestamp: number, value = 1) => record('k', value, timestamp);
const counted = (start: number, count: number, timestamp: number) => record({ key: 'k', start, end: start + 10 }, count, timestamp);
const countStore = (windows: SlidingWindows = ten) => memoryStore(windowStore('counts', { key: string, value: int64, windows }));

/** All that is kept, hidden or not. */
async function rowsOf(store: WindowStore<string, number>): Promise<string[]> {
  const rows = await rowsByKey(store, { andAtTheBound: true, hidden: true });
  return rows.map(({ window: { start, end }, value }) => `${start}-${end} ${value}`);
}

/** What comes out of counting, one line an output. */
function counts(times: readonly number[], emit: Emit = 'update', store = countStore()): string[] {
  const lines: string[] = [];
  of(...times.map((time) => at(time)))
    .pipe(windowSliding(ten), countWithStore(store, { emit }))
    .subscribe({
      next: ({ key: { start, end }, value, timestamp }) => lines.push(`${start}-${end} ${value} at ${timestamp}`),
      error: (error: unknown) => lines.push(String(error)),
    });
  return lines;
}

describe('windowSliding', () => {
  it('sends each record to the windows that the aggregate will find', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-|', { a: at(4), b: at(0) });
      expectObservable(source.pipe(windowSliding(ten))).toBe('-x-y-|', {
        x: { record: at(4), windows: [], by: ten },
        y: { record: at(0), windows: [], by: ten },
      });
      expectSubscriptions(source.subscriptions).toBe('^----!');
    });
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('ends with INVALID_TIMESTAMP at the timestamp %d', (timestamp) => {
    let found: unknown;
    of(at(timestamp))
      .pipe(windowSliding(ten))
      .subscribe({ error: (error: unknown) => (found = error) });
    expect(found).toMatchObject({ code: 'INVALID_TIMESTAMP', where: { operator: 'windowSliding' } });
  });

  it.each<readonly [SlidingWindows, ErrorCode, string, number]>([
    [{ difference: -1 }, 'WINDOW_DIFFERENCE', 'difference', -1],
    [{ difference: 2.5 }, 'WINDOW_DIFFERENCE', 'difference', 2.5],
    [{ difference: NaN }, 'WINDOW_DIFFERENCE', 'difference', NaN],
    [{ difference: Infinity }, 'WINDOW_DIFFERENCE', 'difference', Infinity],
    [{ difference: 2 ** 53 }, 'WINDOW_DIFFERENCE', 'difference', 2 ** 53],
    [{ difference: 5, grace: -1 }, 'WINDOW_GRACE', 'grace', -1],
    [{ difference: 5, grace: 0.5 }, 'WINDOW_GRACE', 'grace', 0.5],
    [{ difference: 5, grace: NaN }, 'WINDOW_GRACE', 'grace', NaN],
  ])('refuses %p at assembly with %s, naming option and value', (given, code, option, value) => {
    expect(() => windowSliding(given)).toThrow(
      errorWith({ code, message: `windowSliding: the option ${option} is ${value};`, where: { operator: 'windowSliding', option } }),
    );
  });

  it.each([{ size: 5 }, { gap: 5 }, { records: 5 }, null, 5])('refuses %p: it makes sliding windows only', (given) => {
    expect(() => windowSliding(given as unknown as SlidingWindows)).toThrow(errorWith({ code: 'CONFIG', message: 'windowSliding: ' }));
  });
});

describe('an aggregate of sliding windows', () => {
  it('updates the windows that hold a record, then makes the one behind the record before and the one that the record ends', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b---c----|', { a: at(20), b: at(25), c: at(27) });
      expectObservable(source.pipe(windowSliding(ten), countWithStore(countStore()))).toBe('-w-(xy)(vzu)|', {
        w: counted(10, 1, 20),
        x: counted(21, 1, 25),
        y: counted(15, 2, 25),
        v: counted(21, 2, 27),
        z: counted(26, 1, 27),
        u: counted(17, 3, 27),
      });
    });
  });

  it('holds records exactly the difference apart, and none further', () => {
    expect(counts([20, 30, 41])).toEqual(['10-20 1 at 20', '21-31 1 at 30', '20-30 2 at 30', '31-41 1 at 41', '31-41 1 at 41']);
  });

  it('gives a late record the window behind it: what lay there already', () => {
    expect(counts([30, 25])).toEqual(['20-30 1 at 30', '20-30 2 at 30', '26-36 1 at 30']);
  });

  it('puts all that lies before the difference into the window from 0, never one that starts below', () => {
    expect(counts([0, 3, 10])).toEqual(['0-10 1 at 0', '1-11 1 at 3', '0-10 2 at 3', '1-11 2 at 10', '0-10 3 at 10', '4-14 1 at 10']);
  });

  it('emits a window once on close, when its end < stream time - grace', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c---|', { a: at(20), b: at(21), c: at(32) });
      expectObservable(source.pipe(windowSliding(ten), countWithStore(countStore(), { emit: 'close' }))).toBe('---w-(xy)|', {
        w: counted(10, 1, 20),
        x: counted(11, 2, 21),
        y: counted(21, 1, 21),
      });
    });
  });

  it('emits on change only what differs from the value before', () => {
    const store = memoryStore(windowStore('greatest', { key: string, value: int64, windows: ten }));
    const emitted: unknown[] = [];
    of(at(20, 7), at(20, 3), at(24, 3), at(24, 9))
      .pipe(windowSliding(ten), reduceWithStore(store, { reduce: Math.max, emit: 'change' }))
      .subscribe(({ key: { start }, value }) => emitted.push([start, value]));
    expect(emitted).toEqual([
      [10, 7],
      [21, 3],
      [14, 7],
      [21, 9],
      [14, 9],
    ]);
  });

  it('emits on change once what is the window behind one record and the one that another ends', () => {
    const twice = '31-41 1 at 41';
    expect(counts([20, 30, 41], 'update').slice(3)).toEqual([twice, twice]);
    expect(counts([20, 30, 41], 'change').slice(3)).toEqual([twice]);
  });

  it('forgets a window whose aggregate becomes null, and emits the null', async () => {
    const store = countStore();
    const untilZero = aggregateWithStore<string, number, number>(store, {
      initial: () => 0,
      add: (sum, value) => (sum + value || null) as number,
    });
    const emitted: unknown[] = [];
    of(at(20, 1), at(20, -1), at(20, 5))
      .pipe(windowSliding(ten), untilZero)
      .subscribe(({ value }) => emitted.push(value));
    expect(emitted).toEqual([1, null, 5]);
    expect(await rowsOf(store)).toEqual(['10-20 5']);
  });

  it('takes a record whose last window is open for the open ones, and shows each closed one that it misses', () => {
    marbles(({ cold, expectObservable }) => {
      const late = new Subject<LateRecord<string, number>>();
      const store = countStore();
      const source = cold('-a-b---c---|', { a: at(20), b: at(33), c: at(23) });
      expectObservable(source.pipe(windowSliding(ten), countWithStore(store, { late }))).toBe('-w-x---(yz)|', {
        w: counted(10, 1, 20),
        x: counted(23, 1, 33),
        y: counted(23, 2, 33),
        z: counted(24, 1, 33),
      });
      const missed = (start: number): LateRecord<string, number> => ({
        record: at(23),
        window: { start, end: start + 10 },
        streamTime: 33,
        watermark: 33,
        lateness: 10,
      });
      expectObservable(late).toBe('-------(ab)', { a: missed(21), b: missed(13) });
      cold('------------|').subscribe({ complete: () => expect(droppedRecords(store)).toBe(2) });
    });
  });

  it('refuses a record whose last window has closed, once', () => {
    const late: unknown[] = [];
    const store = countStore();
    of(at(50), at(40), at(39))
      .pipe(windowSliding(ten), countWithStore(store, { late: { next: ({ record, window }) => late.push([record.timestamp, window]) } }))
      .subscribe();
    expect(late).toEqual([
      [40, { start: 30, end: 40 }],
      [39, { start: 39, end: 49 }],
    ]);
    expect(droppedRecords(store)).toBe(2);
  });

  it('drops null keys and null values before time moves', () => {
    const store = countStore();
    const emitted: unknown[] = [];
    of<KafkaRecord<string, number | null>[]>(record(null as unknown as string, 1, 1000), record('k', null, 1000), record('k', 1, 20))
      .pipe(windowSliding(ten), countWithStore(store))
      .subscribe(({ key: { start }, value }) => emitted.push([start, value]));
    expect(emitted).toEqual([[10, 1]]);
    expect(droppedRecords(store)).toBe(2);
  });

  it('is of single instants when the difference is 0', () => {
    const instant = { difference: 0 };
    const emitted: unknown[] = [];
    of(at(0), at(5), at(5), at(6), at(5))
      .pipe(windowSliding(instant), countWithStore(countStore(instant)))
      .subscribe(({ key: { start, end }, value }) => emitted.push([start, end, value]));
    expect(emitted).toEqual([
      [0, 0, 1],
      [5, 5, 1],
      [5, 5, 2],
      [6, 6, 1],
    ]);
  });

  it('reaches from 0 to 2^53 - 1', () => {
    expect(counts([0, LAST - 4, LAST])).toEqual([
      '0-10 1 at 0',
      `${LAST - 14}-${LAST - 4} 1 at ${LAST - 4}`,
      `${LAST - 3}-${LAST + 7} 1 at ${LAST}`,
      `${LAST - 10}-${LAST} 2 at ${LAST}`,
    ]);
  });

  it('carries headers and origin of the record that updated it', () => {
    const source = record('k', 1, 20, { id: 'a' });
    const found: KafkaRecord<unknown, unknown>[] = [];
    of(source)
      .pipe(windowSliding(ten), countWithStore(countStore()))
      .subscribe((result) => found.push(result));
    expect(found.map(({ origin }) => origin)).toEqual([source.origin]);
  });

  it('passes an error of its function on with the operator, and changes nothing', async () => {
    const store = countStore();
    let found: unknown;
    const failing = aggregateWithStore<string, number, number>(store, {
      initial: () => 0,
      add: (sum, value) => {
        if (value === 13) throw new Error('unlucky');
        return sum + value;
      },
    });
    of(at(20, 1), at(25, 13))
      .pipe(windowSliding(ten), failing)
      .subscribe({ error: (error: unknown) => (found = error) });
    expect(found).toMatchObject({ where: { operator: 'aggregateWithStore' }, cause: { message: 'unlucky' } });
    expect(await rowsOf(store)).toEqual(['10-20 1']);
  });
});

describe('a store of sliding windows', () => {
  it('refuses records that come in other windows: STORE_WINDOWS at assembly, or at the first record', () => {
    const other = windowSliding<string, number>({ difference: 10, grace: 1 });
    const refusal = errorWith({ code: 'STORE_WINDOWS', message: /\{"difference":10,"grace":1\}.*counts.*\{"difference":10\}/ });
    expect(() => of(at(1)).pipe(other, countWithStore(countStore()))).toThrow(refusal);
    const through = new Subject<InWindows<string, number>>();
    let found: unknown;
    through.pipe(countWithStore(countStore())).subscribe({ error: (error: unknown) => (found = error) });
    of(at(1)).pipe(other).subscribe(through);
    expect(found).toEqual(refusal);
  });

  it('refuses windows of another kind', () => {
    const hops = windowHopping<string, number>({ size: 10, advance: 5 });
    expect(() => of(at(1)).pipe(hops, countWithStore(countStore()))).toThrow(errorWith({ code: 'STORE_WINDOWS' }));
  });

  it('keeps a closed window as long as a record yet to come may need it to know its neighbours', async () => {
    const store = countStore();
    counts([20, 40], 'update', store);
    expect(await rowsOf(store)).toEqual(['10-20 1', '30-40 1']);
    counts([41], 'update', store);
    expect(await rowsOf(store)).toEqual(['30-40 1', '31-41 2', '41-51 1']);
  });

  it('shows what is visible by start', () => {
    const store = countStore();
    counts([20, 40, 41], 'update', store);
    expect([store.get('k', 30), store.get('k', 41), store.get('k', 10)]).toEqual([1, 1, undefined]);
  });
});
