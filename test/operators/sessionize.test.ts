import { of, Subject } from 'rxjs';
import {
  aggregateWithStore,
  countWithStore,
  type Emit,
  type LateRecord,
  reduceWithStore,
  sessionize,
  windowTumbling,
} from '../../operators';
import { float64, int64, string } from '../../src/codec/primitives';
import type { ErrorCode } from '../../src/errors/codes';
import { sourceOf } from '../../src/model/origin';
import type { KafkaRecord } from '../../src/model/record';
import type { InSession, SessionWindows, Windowed } from '../../src/model/window';
import { sessionStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { windowedStore, windows } from './stores';

const gap5 = { gap: 5 };
const visits = sessionStore('visits', { key: string, value: int64, windows: gap5 });
const patient = { gap: 5, grace: 50 };
const patientVisits = sessionStore('visits', { key: string, value: int64, windows: patient });
const at = (timestamp: number, value = 1) => record('k', value, timestamp);
const inSession = <A>(start: number, end: number, value: A): KafkaRecord<Windowed<string>, A> =>
  record({ key: 'k', start, end }, value, end);

const sums = (store = memoryStore(visits), emit: Emit = 'update') =>
  aggregateWithStore(store, { initial: () => 0, add: (sum, value: number) => sum + value, merge: (a, b) => a + b, emit });

/** What comes out, one line an output. */
function outputs(records: readonly KafkaRecord<string, number>[], emit: Emit, store = memoryStore(visits)): string[] {
  const lines: string[] = [];
  of(...records)
    .pipe(sessionize(gap5), sums(store, emit))
    .subscribe({
      next: ({ key, value, timestamp }) => lines.push(`${key.key} ${key.start}-${key.end} ${value} at ${timestamp}`),
      error: (error: unknown) => lines.push(String(error)),
    });
  return lines;
}

describe('sessionize', () => {
  it('sends each record into a session, and says by which windows', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-|', { a: at(4), b: at(0) });
      expectObservable(source.pipe(sessionize(gap5))).toBe('-x-y-|', {
        x: { record: at(4), by: gap5 },
        y: { record: at(0), by: gap5 },
      });
      expectSubscriptions(source.subscriptions).toBe('^----!');
    });
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('ends with INVALID_TIMESTAMP at the timestamp %d', (timestamp) => {
    let found: unknown;
    of(at(timestamp))
      .pipe(sessionize(gap5))
      .subscribe({ error: (error: unknown) => (found = error) });
    expect(found).toMatchObject({ code: 'INVALID_TIMESTAMP', where: { operator: 'sessionize' } });
  });

  it.each<readonly [SessionWindows, ErrorCode, string, number]>([
    [{ gap: 0 }, 'WINDOW_GAP', 'gap', 0],
    [{ gap: -5 }, 'WINDOW_GAP', 'gap', -5],
    [{ gap: 2.5 }, 'WINDOW_GAP', 'gap', 2.5],
    [{ gap: NaN }, 'WINDOW_GAP', 'gap', NaN],
    [{ gap: Infinity }, 'WINDOW_GAP', 'gap', Infinity],
    [{ gap: 2 ** 53 }, 'WINDOW_GAP', 'gap', 2 ** 53],
    [{ gap: 5, grace: -1 }, 'WINDOW_GRACE', 'grace', -1],
    [{ gap: 5, grace: 0.5 }, 'WINDOW_GRACE', 'grace', 0.5],
    [{ gap: 5, grace: NaN }, 'WINDOW_GRACE', 'grace', NaN],
  ])('refuses %p at assembly with %s, naming option and value', (given, code, option, value) => {
    expect(() => sessionize(given)).toThrow(
      errorWith({ code, message: `sessionize: the option ${option} is ${value};`, where: { operator: 'sessionize', option } }),
    );
  });

  it.each([{ size: 5 }, { difference: 5 }, { records: 5 }, null, 5])('refuses %p: it makes sessions only', (given) => {
    expect(() => sessionize(given as unknown as SessionWindows)).toThrow(errorWith({ code: 'CONFIG', message: 'sessionize: ' }));
  });
});

describe('an aggregate of sessions', () => {
  it('takes a session back before it emits what it has grown to', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a----b---c-|', { a: at(1, 1), b: at(4, 2), c: at(20, 4) });
      expectObservable(source.pipe(sessionize(gap5), sums())).toBe('-x----(py)z-|', {
        x: inSession(1, 1, 1),
        p: inSession(1, 1, null),
        y: inSession(1, 4, 3),
        z: inSession(20, 20, 4),
      });
    });
  });

  it('emits a session once on close, when its end < stream time - gap - grace', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c-d-|', { a: at(1, 1), b: at(4, 2), c: at(9, 4), d: at(15, 8) });
      expectObservable(source.pipe(sessionize(gap5), sums(memoryStore(visits), 'close'))).toBe('-------x-|', { x: inSession(1, 9, 7) });
    });
  });

  it('takes nothing back on change where bounds and bytes stay', () => {
    expect(outputs([at(1, 1), at(5, 2), at(3, 0), at(3, 4), at(7, 8)], 'change')).toEqual([
      'k 1-1 1 at 1',
      'k 1-1 null at 1',
      'k 1-5 3 at 5',
      'k 1-5 7 at 5',
      'k 1-5 null at 5',
      'k 1-7 15 at 7',
    ]);
  });

  it('emits no null on change for what was never there', () => {
    const store = memoryStore(sessionStore('sums', { key: string, value: float64, windows: gap5 }));
    const emitted: unknown[] = [];
    const untilZero = aggregateWithStore(store, {
      initial: () => 0,
      add: (sum, value: number) => (sum + value || null) as number,
      merge: (a, b) => a + b,
      emit: 'change',
    });
    of(at(1, 0), at(2, 3), at(3, -3))
      .pipe(sessionize(gap5), untilZero)
      .subscribe(({ value }) => emitted.push(value));
    expect(emitted).toEqual([3, null]);
  });

  it('adds the new value last, to what the sessions it joins are together, by end', () => {
    const lists = sessionStore('lists', { key: string, value: string, windows: { gap: 5, grace: 50 } });
    const emitted: (string | null)[] = [];
    of(...[10, 0, 20, 5, 15].map((time) => record('k', `${time}`, time)))
      .pipe(
        sessionize({ gap: 5, grace: 50 }),
        aggregateWithStore(memoryStore(lists), { initial: () => '', add: (list, value) => `${list} ${value}`, merge: (a, b) => a + b }),
      )
      .subscribe(({ value }) => emitted.push(value));
    expect(emitted.at(-1)).toBe(' 0 10 5 20 15');
  });

  it.each([
    ['count', countWithStore<string, number>(memoryStore(patientVisits)), 3],
    ['reduce', reduceWithStore<string, number>(memoryStore(patientVisits), { reduce: Math.max }), 7],
  ])('merges by itself: %s', (_, fold, expected) => {
    const emitted: (number | null)[] = [];
    of(at(0, 7), at(8, 5), at(4, 1))
      .pipe(sessionize(patient), fold)
      .subscribe(({ value }) => emitted.push(value));
    expect(emitted.at(-1)).toBe(expected);
  });

  it('takes a record of its own too late if it meets a session that is not', () => {
    const grown = sessionStore('visits', { key: string, value: int64, windows: gap5, retention: 1_000 });
    expect(outputs([at(10), at(5), record('x', 1, 15), at(4)], 'update', memoryStore(grown)).slice(-3)).toEqual([
      'x 15-15 1 at 15',
      'k 5-10 null at 10',
      'k 4-10 3 at 10',
    ]);
  });

  it('shows late records the session they would have made, and counts them', () => {
    marbles(({ cold, expectObservable }) => {
      const late = new Subject<LateRecord<string, number>>();
      const store = memoryStore(visits);
      const source = cold('-a-b-|', { a: at(20), b: at(3) });
      expectObservable(source.pipe(sessionize(gap5), countWithStore(store, { late }))).toBe('-x---|', { x: inSession(20, 20, 1) });
      expectObservable(late).toBe('---l', {
        l: { record: at(3), window: { start: 3, end: 3 }, streamTime: 20, watermark: 20, lateness: 17 },
      });
      cold('------|').subscribe({ complete: () => expect(droppedRecords(store)).toBe(1) });
    });
  });

  it('drops null keys before time moves; null values are values', () => {
    const store = memoryStore(visits);
    const emitted: unknown[] = [];
    of<KafkaRecord<string, number | null>[]>(record(null as unknown as string, 1, 100), record('k', null, 0), record('k', 1, 5))
      .pipe(sessionize(gap5), countWithStore(store))
      .subscribe(({ value }) => emitted.push(value));
    expect(emitted).toEqual([1, null, 2]);
    expect(droppedRecords(store)).toBe(1);
  });

  it('carries no headers on update, but the origin of the record', () => {
    const source = record('k', 1, 0, { id: 'a' });
    const found: KafkaRecord<unknown, unknown>[] = [];
    of(source)
      .pipe(sessionize(gap5), sums())
      .subscribe((result) => found.push(result));
    expect(found.map(({ headers }) => [...headers])).toEqual([[]]);
    expect(found.map(({ origin }) => sourceOf(origin))).toEqual([source.origin]);
  });

  it('reaches from 0 to 2^53 - 1', () => {
    const last = 2 ** 53 - 1;
    expect(outputs([at(0), at(5), at(last - 5), at(last)], 'update')).toEqual([
      'k 0-0 1 at 0',
      'k 0-0 null at 0',
      'k 0-5 2 at 5',
      `k ${last - 5}-${last - 5} 1 at ${last - 5}`,
      `k ${last - 5}-${last - 5} null at ${last - 5}`,
      `k ${last - 5}-${last} 2 at ${last}`,
    ]);
  });

  it('never begins a session below 0, whatever the gap', () => {
    const wide = { gap: 2 ** 53 - 1 };
    const store = memoryStore(sessionStore('wide', { key: string, value: int64, windows: wide }));
    const bounds: number[][] = [];
    of(at(3), at(2 ** 53 - 1), at(0))
      .pipe(sessionize(wide), countWithStore(store, { emit: 'change' }))
      .subscribe(({ key, value }) => value !== null && bounds.push([key.start, key.end, value]));
    expect(bounds.at(-1)).toEqual([0, 2 ** 53 - 1, 3]);
  });
});

describe('a session store', () => {
  it('needs merge for an aggregate: CONFIG at assembly says so', () => {
    const options = { initial: () => 0, add: (sum: number) => sum + 1 };
    expect(() => aggregateWithStore(memoryStore(visits), options as never)).toThrow(
      errorWith({
        code: 'CONFIG',
        message: /merge is missing.*visits/,
        where: { operator: 'aggregateWithStore', store: 'visits', option: 'merge' },
      }),
    );
  });

  it('refuses records that come in other sessions: STORE_WINDOWS at assembly, or at the first record', () => {
    const other = sessionize<string, number>({ gap: 5, grace: 1 });
    const refusal = errorWith({ code: 'STORE_WINDOWS', message: /\{"gap":5,"grace":1\}.*visits.*\{"gap":5\}/ });
    expect(() => of(at(1)).pipe(other, countWithStore(memoryStore(visits)))).toThrow(refusal);
    const through = new Subject<InSession<string, number>>();
    let found: unknown;
    through.pipe(countWithStore(memoryStore(visits))).subscribe({ error: (error: unknown) => (found = error) });
    of(at(1)).pipe(other).subscribe(through);
    expect(found).toEqual(refusal);
  });

  it('refuses windows, and a window store refuses sessions', () => {
    const count = countWithStore as unknown as (store: unknown) => (source: unknown) => unknown;
    expect(() => count(memoryStore(visits))(of(at(1)).pipe(windowTumbling(windows)))).toThrow(errorWith({ code: 'STORE_WINDOWS' }));
    expect(() => count(windowedStore())(of(at(1)).pipe(sessionize(gap5)))).toThrow(errorWith({ code: 'STORE_WINDOWS' }));
  });

  it('refuses a moment to emit that there is not', () => {
    expect(() => countWithStore(memoryStore(visits), { emit: 'sometimes' as Emit })).toThrow(
      errorWith({ code: 'CONFIG', where: { operator: 'countWithStore', option: 'emit' } }),
    );
  });

  it.each([
    [{ windows: { gap: 5, grace: 2 }, retention: 6 }, 'retention'],
    [{ windows: { size: 5 } as unknown as SessionWindows }, 'windows'],
  ])('refuses %p, naming %s', (options, option) => {
    expect(() => sessionStore('visits', { key: string, value: int64, ...options })).toThrow(
      errorWith({ code: 'CONFIG', where: { store: 'visits', option } }),
    );
  });

  it('shows what it holds', () => {
    const store = memoryStore(visits);
    outputs([at(0), at(5), at(7, 4), at(20)], 'update', store);
    expect(store.find('k', 0, 100)).toEqual([[{ start: 20, end: 20 }, 1]]);
  });
});
