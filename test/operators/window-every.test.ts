import { of, Subject } from 'rxjs';
import { aggregateWithStore, countWithStore, type Emit, reduceWithStore, sessionize, windowEvery } from '../../operators';
import { float64, int64, string } from '../../src/codec/primitives';
import type { ErrorCode } from '../../src/errors/codes';
import type { KafkaRecord } from '../../src/model/record';
import type { WindowStore } from '../../src/model/store-definition';
import type { CountWindows, InWindows } from '../../src/model/window';
import { windowStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { rowsByKey } from '../../src/testing/store-rows';
import { errorWith } from './errors';
import { marbles } from './marbles';

const twos = { records: 2 };
const overlapping = { records: 3, every: 2 };
const a = (value: number, timestamp = 0, key = 'k') => record(key, value, timestamp);
const sumStore = (windows: CountWindows = twos) => memoryStore(windowStore('sums', { key: string, value: int64, windows }));
const window = (start: number, end: number, value: number, timestamp = 0) => record({ key: 'k', start, end }, value, timestamp);
const sum = (store: WindowStore<string, number>, emit: Emit = 'update') =>
  aggregateWithStore(store, { initial: () => 0, add: (total: number, value: number) => total + value, emit });

/** What comes out of summing, one line an output. */
function sums(records: readonly KafkaRecord<string, number>[], windows: CountWindows, emit: Emit, store = sumStore(windows)): string[] {
  const lines: string[] = [];
  of(...records)
    .pipe(windowEvery(windows), sum(store, emit))
    .subscribe({
      next: ({ key: { key, start, end }, value, timestamp }) => lines.push(`${key} ${start}-${end} ${value} at ${timestamp}`),
      error: (error: unknown) => lines.push(String(error)),
    });
  return lines;
}

describe('windowEvery', () => {
  it('sends each record to the windows that the aggregate will find', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-|', { a: a(1), b: a(2) });
      expectObservable(source.pipe(windowEvery(twos))).toBe('-x-y-|', {
        x: { record: a(1), windows: [], by: twos },
        y: { record: a(2), windows: [], by: twos },
      });
      expectSubscriptions(source.subscriptions).toBe('^----!');
    });
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('ends with INVALID_TIMESTAMP at the timestamp %d', (timestamp) => {
    let found: unknown;
    of(a(1, timestamp))
      .pipe(windowEvery(twos))
      .subscribe({ error: (error: unknown) => (found = error) });
    expect(found).toMatchObject({ code: 'INVALID_TIMESTAMP', where: { operator: 'windowEvery' } });
  });

  it.each<readonly [CountWindows, ErrorCode, string, number]>([
    [{ records: 0 }, 'WINDOW_RECORDS', 'records', 0],
    [{ records: -2 }, 'WINDOW_RECORDS', 'records', -2],
    [{ records: 1.5 }, 'WINDOW_RECORDS', 'records', 1.5],
    [{ records: NaN }, 'WINDOW_RECORDS', 'records', NaN],
    [{ records: Infinity }, 'WINDOW_RECORDS', 'records', Infinity],
    [{ records: 2, every: 0 }, 'WINDOW_RECORDS', 'every', 0],
    [{ records: 2, every: -1 }, 'WINDOW_RECORDS', 'every', -1],
    [{ records: 2, every: 0.5 }, 'WINDOW_RECORDS', 'every', 0.5],
    [{ records: 2, every: NaN }, 'WINDOW_RECORDS', 'every', NaN],
    [{ records: 2, every: 3 }, 'WINDOW_RECORDS', 'every', 3],
  ])('refuses %p at assembly with %s, naming option and value', (given, code, option, value) => {
    expect(() => windowEvery(given)).toThrow(
      errorWith({ code, message: `windowEvery: the option ${option} is ${value};`, where: { operator: 'windowEvery', option } }),
    );
  });

  it.each([{ size: 5 }, { gap: 5 }, { difference: 5 }, null, 5])('refuses %p: it makes counted windows only', (given) => {
    expect(() => windowEvery(given as unknown as CountWindows)).toThrow(errorWith({ code: 'CONFIG', message: 'windowEvery: ' }));
  });
});

describe('an aggregate of counted windows', () => {
  it('begins a window with every n-th record of a key', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c-d-|', { a: a(1), b: a(2), c: a(4), d: a(8) });
      expectObservable(source.pipe(windowEvery(twos), sum(sumStore()))).toBe('-w-x-y-z-|', {
        w: window(0, 2, 1),
        x: window(0, 2, 3),
        y: window(2, 4, 4),
        z: window(2, 4, 12),
      });
    });
  });

  it('counts every key for itself', () => {
    const records = [a(1, 0, 'a'), a(2, 0, 'b'), a(4, 0, 'a'), a(8, 0, 'a'), a(16, 0, 'b')];
    expect(sums(records, twos, 'close')).toEqual(['a 0-2 5 at 0', 'b 0-2 18 at 0']);
  });

  it('updates overlapping windows by ascending start', () => {
    expect(
      sums(
        [1, 2, 4, 8, 16].map((value) => a(value)),
        overlapping,
        'update',
      ),
    ).toEqual(['k 0-3 1 at 0', 'k 0-3 3 at 0', 'k 0-3 7 at 0', 'k 2-5 4 at 0', 'k 2-5 12 at 0', 'k 2-5 28 at 0', 'k 4-7 16 at 0']);
  });

  it('begins a window with every record where every is 1', () => {
    expect(
      sums(
        [1, 2, 4, 8].map((value) => a(value)),
        { records: 3, every: 1 },
        'close',
      ),
    ).toEqual(['k 0-3 7 at 0', 'k 1-4 14 at 0']);
  });

  it('has windows of one record', () => {
    expect(
      sums(
        [1, 2].map((value) => a(value)),
        { records: 1 },
        'close',
      ),
    ).toEqual(['k 0-1 1 at 0', 'k 1-2 2 at 0']);
  });

  it('emits a window on close with the record that completes it, once', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c-d-e-|', { a: a(1), b: a(2), c: a(4), d: a(8), e: a(16) });
      expectObservable(source.pipe(windowEvery(overlapping), sum(sumStore(overlapping), 'close'))).toBe('-----x---y-|', {
        x: window(0, 3, 7),
        y: window(2, 5, 28),
      });
    });
  });

  it('emits on change only what differs from the value before', () => {
    const emitted: unknown[] = [];
    of(a(7), a(3), a(3), a(9))
      .pipe(windowEvery({ records: 3 }), reduceWithStore(sumStore({ records: 3 }), { reduce: Math.max, emit: 'change' }))
      .subscribe(({ key: { start }, value }) => emitted.push([start, value]));
    expect(emitted).toEqual([
      [0, 7],
      [3, 9],
    ]);
  });

  it('carries the greatest timestamp of the window; event time decides nothing', () => {
    const times = [9, 4, 100, 1, 2];
    expect(
      sums(
        times.map((time) => a(1, time)),
        overlapping,
        'close',
      ),
    ).toEqual(['k 0-3 3 at 100', 'k 2-5 3 at 100']);
  });

  it('drops null keys, and counts null values like any other', () => {
    const store = sumStore();
    const emitted: unknown[] = [];
    of<KafkaRecord<string, number | null>[]>(record(null as unknown as string, 1, 0), record('k', null, 0), record('k', 1, 0))
      .pipe(windowEvery(twos), countWithStore(store, { emit: 'close' }))
      .subscribe(({ value }) => emitted.push(value));
    expect(emitted).toEqual([2]);
    expect(droppedRecords(store)).toBe(1);
  });

  it('goes on counting where an aggregate became null, and closes with nothing', () => {
    const store = memoryStore(windowStore('sums', { key: string, value: float64, windows: twos }));
    const emitted: unknown[] = [];
    const untilZero = (emit: Emit) =>
      aggregateWithStore<string, number, number>(store, {
        initial: () => 0,
        add: (total, value) => (total + value || null) as number,
        emit,
      });
    of(a(1), a(-1), a(0), a(4))
      .pipe(windowEvery(twos), untilZero('update'))
      .subscribe(({ key: { start }, value }) => emitted.push([start, value]));
    expect(emitted).toEqual([
      [0, 1],
      [0, null],
      [2, null],
      [2, 4],
    ]);
    const closed: unknown[] = [];
    of(a(1), a(-1), a(2), a(2))
      .pipe(windowEvery(twos), untilZero('close'))
      .subscribe(({ key: { start }, value }) => closed.push([start, value]));
    expect(closed).toEqual([[6, 4]]);
  });

  it('goes on in the middle of its windows after a restart', () => {
    const store = sumStore(overlapping);
    expect(sums([a(1), a(2)], overlapping, 'close', store)).toEqual([]);
    expect(sums([a(4)], overlapping, 'close', store)).toEqual(['k 0-3 7 at 0']);
    expect(sums([a(8)], overlapping, 'close', store)).toEqual([]);
    expect(sums([a(16)], overlapping, 'close', store)).toEqual(['k 2-5 28 at 0']);
  });

  it('reaches the timestamps 0 and 2^53 - 1', () => {
    expect(sums([a(1, 0), a(2, 2 ** 53 - 1)], twos, 'close')).toEqual([`k 0-2 3 at ${2 ** 53 - 1}`]);
  });

  it('carries the origin of the record that updated it', () => {
    const source = record('k', 1, 0, { id: 'a' });
    const found: KafkaRecord<unknown, unknown>[] = [];
    of(source)
      .pipe(windowEvery(twos), sum(sumStore()))
      .subscribe((result) => found.push(result));
    expect(found.map(({ origin }) => origin)).toEqual([source.origin]);
  });
});

describe('a store of counted windows', () => {
  it('keeps what is not complete, and the last window of a key', async () => {
    const store = sumStore(overlapping);
    const kept = async (): Promise<unknown[]> => {
      const rows = await rowsByKey(store, { andAtTheBound: true, hidden: true });
      return rows.map((row) => row.window.start);
    };
    const seen: unknown[] = [];
    for (let value = 0; value < 6; value++) {
      sums([a(value)], overlapping, 'update', store);
      seen.push(await kept());
    }
    expect(seen).toEqual([[0], [0], [2], [2], [4], [4]]);
  });

  it('shows aggregates by start, without the numbers of records they lie with', () => {
    const store = sumStore();
    sums([a(1), a(2), a(4)], twos, 'update', store);
    expect([store.get('k', 0), store.get('k', 2)]).toEqual([undefined, 4]);
  });

  it('refuses records that come in other windows: STORE_WINDOWS at assembly, or at the first record', () => {
    const other = windowEvery<string, number>({ records: 2, every: 1 });
    const refusal = errorWith({ code: 'STORE_WINDOWS', message: /\{"records":2,"every":1\}.*sums.*\{"records":2\}/ });
    expect(() => of(a(1)).pipe(other, countWithStore(sumStore()))).toThrow(refusal);
    const through = new Subject<InWindows<string, number>>();
    let found: unknown;
    through.pipe(countWithStore(sumStore())).subscribe({ error: (error: unknown) => (found = error) });
    of(a(1)).pipe(other).subscribe(through);
    expect(found).toEqual(refusal);
  });

  it('takes windows that are the same when defaults are filled in', () => {
    expect(() => of(a(1)).pipe(windowEvery({ records: 2, every: 2 }), countWithStore(sumStore()))).not.toThrow();
  });

  it('refuses sessions', () => {
    const count = countWithStore as unknown as (store: unknown) => (source: unknown) => unknown;
    expect(() => count(sumStore())(of(a(1)).pipe(sessionize({ gap: 5 })))).toThrow(errorWith({ code: 'STORE_WINDOWS' }));
  });

  it('refuses a retention: what is incomplete is kept, whatever the time', () => {
    expect(() => windowStore('sums', { key: string, value: int64, windows: twos, retention: 10 })).toThrow(
      errorWith({ code: 'CONFIG', where: { store: 'sums', option: 'retention' } }),
    );
  });
});
