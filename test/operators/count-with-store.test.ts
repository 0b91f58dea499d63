import { map, NEVER, Subject } from 'rxjs';
import { countWithStore, type LateRecord, to, windowTumbling } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { listenToWiring } from '../../src/state/wiring';
import { keyValueStore } from '../../src/state/definition';
import { memoryStore, outgoing, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { errorWith } from './errors';
import { marbles } from './marbles';
import { inWindow, numberStore, windowedStore, windows } from './stores';

const click = (key: string, timestamp: number) => record(key, 'click', timestamp);

describe('countWithStore over a key-value store', () => {
  it('counts the records of each key, with the greater of the timestamps', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-d-|', { a: click('u', 5), b: click('v', 3), c: click('u', 2), d: click('u', 9) });
      const subs = '        ^--------!';
      const out = '         -w-x-y-z-|';
      expectObservable(source.pipe(countWithStore(numberStore()))).toBe(out, {
        w: record('u', 1, 5),
        x: record('v', 1, 3),
        y: record('u', 2, 5),
        z: record('u', 3, 9),
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('reads in a marble test as in the documentation', () => {
    const clicksPerUser = keyValueStore('clicks-per-user', { key: string, value: int64 });
    const clickCounts = topic('click-counts', clicksPerUser.output);
    marbles(({ cold, expectObservable }) => {
      const counted = cold('-a-b|', { a: click('u', 1), b: click('u', 2) }).pipe(
        countWithStore(memoryStore(clicksPerUser)),
        to(clickCounts),
      );
      expectObservable(counted).toBe('-x-y|', { x: outgoing(clickCounts, 'u', 1, 1), y: outgoing(clickCounts, 'u', 2, 2) });
    });
  });

  it('drops null keys and null values and counts them as dropped', () => {
    const store = numberStore();
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c-d|', {
        a: record<string, number | null>('u', 1, 1),
        b: record<string, number | null>('u', null, 2),
        c: record<string, number | null>(null as unknown as string, 1, 3),
        d: record<string, number | null>('u', 1, 4),
      });
      expectObservable(source.pipe(countWithStore(store))).toBe('-x-----y|', { x: record('u', 1, 1), y: record('u', 2, 4) });
    });
    expect(droppedRecords(store)).toBe(2);
  });

  it('goes on counting from what the store holds', () => {
    const store = numberStore();
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('a|', { a: click('u', 1) }).pipe(countWithStore(store))).toBe('x|', { x: record('u', 1, 1) });
    });
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('a|', { a: click('u', 2) }).pipe(countWithStore(store))).toBe('x|', { x: record('u', 2, 2) });
    });
    expect(store.get('u')).toBe(2);
  });

  it('passes an error of the source on, and frees the store', () => {
    const store = numberStore();
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('a-#', { a: click('u', 1) }).pipe(countWithStore(store))).toBe('x-#', { x: record('u', 1, 1) });
    });
    expect(errorsOf(NEVER.pipe(countWithStore<string, number>(store)))).toEqual([]);
  });

  it('unsubscribes from its source when it is unsubscribed', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-a', { a: click('u', 1) });
      expectObservable(source.pipe(countWithStore(numberStore())), '--!').toBe('-x', { x: record('u', 1, 1) });
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });

  it('ends a second subscription while one is active with STORE_IN_USE, and says share()', () => {
    const counted = NEVER.pipe(countWithStore<string, number>(numberStore()));
    const first = counted.subscribe();
    expect(errorsOf(counted)).toEqual([errorWith({ code: 'STORE_IN_USE', message: 'share()' })]);
    first.unsubscribe();
    expect(errorsOf(counted)).toEqual([]);
  });

  it('ends with STORE_IN_USE when another operator works on the store', () => {
    const store = numberStore();
    NEVER.pipe(countWithStore<string, number>(store)).subscribe();
    expect(errorsOf(NEVER.pipe(countWithStore<string, number>(store)))).toEqual([
      errorWith({ code: 'STORE_IN_USE', where: { operator: 'countWithStore', store: 'numbers' } }),
    ]);
  });

  it('refuses what is no store', () => {
    expect(() => countWithStore({} as ReturnType<typeof numberStore>)).toThrow(
      errorWith({ code: 'CONFIG', where: { operator: 'countWithStore' } }),
    );
  });

  it('tells the planner its store', () => {
    const source = new Subject<ReturnType<typeof click>>();
    const seen: unknown[] = [];
    const listener = { enter: (...entered: unknown[]) => seen.push(entered), leave: () => seen.push('leave'), announce: () => undefined };
    const counted = source.pipe(countWithStore(numberStore()));
    listenToWiring(listener, () => counted.subscribe());
    expect(seen).toEqual([[{ kind: 'store', name: 'numbers', operator: 'countWithStore' }, source, counted], 'leave']);
  });
});

describe('countWithStore over a window store', () => {
  it('counts in each window, late records too until its grace is over', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-d-e-|', {
        a: click('u', 3),
        b: click('u', 12),
        c: click('u', 1),
        d: click('u', 15),
        e: click('u', 9),
      });
      const subs = '        ^----------!';
      const out = '         -v-w-x-y---|';
      expectObservable(source.pipe(windowTumbling(windows), countWithStore(windowedStore()))).toBe(out, {
        v: inWindow('u', 0, 1, 3),
        w: inWindow('u', 10, 1, 12),
        x: inWindow('u', 0, 2, 3),
        y: inWindow('u', 10, 2, 15),
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('emits a window once on close, with the record that brings stream time to end + grace', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c-d-|', { a: click('u', 3), b: click('u', 14), c: click('u', 1), d: click('v', 15) });
      const out = '         -------x-|';
      expectObservable(source.pipe(windowTumbling(windows), countWithStore(windowedStore(), { emit: 'close' }))).toBe(out, {
        x: inWindow('u', 0, 2, 3),
      });
    });
  });

  it('emits closed windows by start, then key bytes, all with the record that closed them', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('abcd----e-----|', {
        a: click('b', 5),
        b: click('é', 6),
        c: click('a', 7),
        d: click('z', 11),
        e: click('a', 40),
      });
      const out = '         --------(wxyz)|';
      expectObservable(source.pipe(windowTumbling(windows), countWithStore(windowedStore(), { emit: 'close' }))).toBe(out, {
        w: inWindow('a', 0, 1, 7),
        x: inWindow('b', 0, 1, 5),
        y: inWindow('é', 0, 1, 6),
        z: inWindow('z', 10, 1, 11),
      });
    });
  });

  it('leaves open windows alone when the source completes', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('a|', { a: click('u', 3) });
      expectObservable(source.pipe(windowTumbling(windows), countWithStore(windowedStore(), { emit: 'close' }))).toBe('-|');
    });
  });

  it('counts null values, drops null keys, and a null key moves no time', () => {
    const store = windowedStore();
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c|', { a: record('u', null, 1), b: record(null as unknown as string, null, 100), c: record('u', null, 2) });
      expectObservable(source.pipe(windowTumbling(windows), countWithStore(store))).toBe('-x---y|', {
        x: inWindow('u', 0, 1, 1),
        y: inWindow('u', 0, 2, 2),
      });
    });
    expect(droppedRecords(store)).toBe(1);
  });

  it.each(['update', 'close'] as const)(
    'offers late records in the same push, with window, watermark and lateness, and counts them: emit %s',
    (emit) => {
      const store = windowedStore();
      marbles(({ cold, expectObservable }) => {
        const late = new Subject<LateRecord<string, string>>();
        const source = cold('-a-b-c-d-|', { a: click('u', 1), b: click('u', 16), c: click('u', 2), d: click('u', 17) });
        const lateOut = '    -----l---';
        const times = { streamTime: 16, watermark: 16, lateness: 14 };
        expectObservable(late).toBe(lateOut, { l: { record: click('u', 2), window: { start: 0, end: 10 }, ...times } });
        expectObservable(
          source.pipe(
            windowTumbling(windows),
            countWithStore(store, { emit, late }),
            map(({ value }) => value),
          ),
        ).toBe(emit === 'close' ? '---x-----|' : '-x-x---y-|', { x: 1, y: 2 });
      });
      expect(droppedRecords(store)).toBe(1);
    },
  );

  it('reads in a marble test of late records as in the documentation', () => {
    marbles(({ cold, expectObservable }) => {
      const late = new Subject<LateRecord<string, string>>();
      const records = { a: click('u', 1), b: click('u', 16), c: click('u', 2), d: click('u', 17) };
      const windowed = cold('-a-b-c-d|', records).pipe(windowTumbling(windows), countWithStore(windowedStore(), { emit: 'close', late }));
      expectObservable(windowed.pipe(map((r) => r.value))).toBe('---x----|', { x: 1 });
      expectObservable(late.pipe(map((l) => l.record.timestamp))).toBe('-----l', { l: 2 });
    });
  });

  it('ends with PROCESSING when the observer of late records throws', () => {
    marbles(({ cold, expectObservable }) => {
      const late = {
        next: () => {
          throw new Error('no');
        },
      };
      const source = cold('-a-b-|', { a: click('u', 100), b: click('u', 2) });
      expectObservable(source.pipe(windowTumbling(windows), countWithStore(windowedStore(), { late }))).toBe(
        '-x-#',
        { x: inWindow('u', 100, 1, 100) },
        errorWith({ code: 'PROCESSING', where: { operator: 'countWithStore' } }),
      );
    });
  });

  it('unsubscribes from its source when it is unsubscribed', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-a', { a: click('u', 1) });
      expectObservable(source.pipe(windowTumbling(windows), countWithStore(windowedStore())), '--!').toBe('-x', {
        x: inWindow('u', 0, 1, 1),
      });
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });

  it('refuses the windows of an operator that are not the store’s at assembly, and names both', () => {
    expect(() => NEVER.pipe(windowTumbling<string, number>({ size: 20, grace: 5 }), countWithStore(windowedStore()))).toThrow(
      errorWith({
        code: 'STORE_WINDOWS',
        message: /"size":20,"grace":5.*windowed-numbers.*"size":10,"grace":5/,
        where: { operator: 'countWithStore', store: 'windowed-numbers' },
      }),
    );
  });

  it('refuses them at the first record when another operator stands between', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-|', { a: click('u', 1) });
      const between = source.pipe(
        windowTumbling({ size: 10, grace: 6 }),
        map((x) => x),
      );
      expectObservable(between.pipe(countWithStore(windowedStore()))).toBe('-#', {}, errorWith({ code: 'STORE_WINDOWS' }));
    });
  });

  it('takes windows that are stated twice but equal', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-|', { a: click('u', 1) });
      expectObservable(source.pipe(windowTumbling({ size: 10, grace: 5 }), countWithStore(windowedStore()))).toBe('-x-|', {
        x: inWindow('u', 0, 1, 1),
      });
    });
  });

  it('refuses an emit that it does not know', () => {
    expect(() => countWithStore(windowedStore(), { emit: 'closed' as 'close' })).toThrow(
      errorWith({ code: 'CONFIG', where: { operator: 'countWithStore', option: 'emit' } }),
    );
  });
});

function errorsOf(observable: { subscribe(observer: { error: (error: unknown) => void }): { unsubscribe(): void } }): unknown[] {
  const errors: unknown[] = [];
  observable.subscribe({ error: (error: unknown) => errors.push(error) }).unsubscribe();
  return errors;
}
