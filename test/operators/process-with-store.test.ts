import { mergeMap, NEVER, of, Subject } from 'rxjs';
import { processWithStore } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import type { MillraceError } from '../../src/errors/millrace-error';
import type { KafkaRecord } from '../../src/model/record';
import { keyValueStore } from '../../src/state/definition';
import { type KeyValueHandle, runtime } from '../../src/state/handle';
import { timerStore } from '../../src/state/timer-definition';
import { memoryStore, record } from '../../src/testing';
import { errorWith } from './errors';
import { marbles } from './marbles';

type Numbered = KafkaRecord<string, number>;

const counts = keyValueStore('counts', { key: string, value: int64 });
const sums = keyValueStore('sums', { key: string, value: int64 });
const onEvents = timerStore('on-events', { key: string, clock: 'event' });
const alsoOnEvents = timerStore('also-on-events', { key: string, clock: 'event' });
const onWall = timerStore('on-wall', { key: string, clock: 'wall' });

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const timestampOf = (store: object, key: string): number | undefined =>
  (store as KeyValueHandle<string, number>)[runtime].find(key)?.timestamp;

/** A timer ten ms behind each record; what fires is named by store, key and time. */
const tenBehind = () =>
  processWithStore(
    { timers: memoryStore(onEvents) },
    {
      record: ({ key, timestamp }: Numbered, { timers }): string[] => {
        timers.set(key, timestamp + 10);
        return [];
      },
      timer: ({ store, key, time }) => [`${store} ${key} ${time}`],
    },
  );

describe('processWithStore', () => {
  it('keeps several stores and gives several outputs for one input, in their order', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a---b---|', { a: record('k', 3, 1), b: record('k', 4, 2) });
      const subs = '        ^--------!';
      const out = '         -(wx)(yz)|';
      const processed = source.pipe(
        processWithStore(
          { ofKey: memoryStore(counts), inAll: memoryStore(sums) },
          {
            record: (one: Numbered, { ofKey, inAll }) => {
              ofKey.put(one.key, (ofKey.get(one.key) ?? 0) + 1);
              inAll.put('all', (inAll.get('all') ?? 0) + one.value);
              return [one.withValue(ofKey.get(one.key)), one.withValue(inAll.get('all'))];
            },
          },
        ),
      );
      expectObservable(processed).toBe(out, { w: record('k', 1, 1), x: record('k', 3, 1), y: record('k', 2, 2), z: record('k', 7, 2) });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('gives records without key or value to the function as any other', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-|', { a: record<string | null, number | null>(null, null, 1) });
      const processed = source.pipe(processWithStore({ counts: memoryStore(counts) }, { record: (one) => [one.timestamp] }));
      expectObservable(processed).toBe('-x-|', { x: 1 });
    });
  });

  it('writes with the timestamp of the record, whatever an operator before it made of that', () => {
    const store = memoryStore(counts);
    of(record('k', 1, 5).withTimestamp(77))
      .pipe(processWithStore({ store }, { record: ({ key, value }, { store: own }) => (own.put(key, value), []) }))
      .subscribe();
    expect(timestampOf(store, 'k')).toBe(77);
  });
});

describe('timers of processWithStore', () => {
  it('fire after the record that brings event time to theirs, by time, then key bytes; a key has one', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c-d-e-----|', {
        a: record('b', 0, 5),
        b: record('a', 0, 5),
        c: record('c', 0, 1),
        d: record('b', 0, 6),
        e: record('z', 0, 16),
      });
      expectObservable(source.pipe(tenBehind())).toBe('---------(xyz)-|', {
        x: 'timers c 11',
        y: 'timers a 15',
        z: 'timers b 16',
      });
    });
  });

  it('do not fire before their time, nor when they were cancelled', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c-d-|', { a: record('a', 1, 0), b: record('b', 1, 0), c: record('a', -1, 9), d: record('d', 0, 10) });
      const processed = source.pipe(
        processWithStore(
          { timers: memoryStore(onEvents) },
          {
            record: ({ key, value }: Numbered, { timers }): string[] => {
              if (value === 1) timers.set(key, 10);
              if (value === -1) timers.cancel(key);
              return [];
            },
            timer: ({ key }) => [key],
          },
        ),
      );
      expectObservable(processed).toBe('-------x-|', { x: 'b' });
    });
  });

  it('emit records of their key and time', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-|', { a: record('a', 1, 0), b: record('b', 1, 30) });
      const processed = source.pipe(
        processWithStore(
          { timers: memoryStore(onEvents) },
          {
            record: ({ key, timestamp }: Numbered, { timers }): KafkaRecord<string, string>[] => {
              timers.set(key, timestamp + 10);
              return [];
            },
            timer: (timer) => [timer.record('quiet')],
          },
        ),
      );
      expectObservable(processed).toBe('---x-|', { x: record('a', 'quiet', 10) });
    });
  });

  it('of several stores fire in one order, told apart by the name that the store was given under', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b------|', { a: record('a', 0, 1), b: record('b', 0, 20) });
      const processed = source.pipe(
        processWithStore(
          { later: memoryStore(onEvents), sooner: memoryStore(alsoOnEvents) },
          {
            record: ({ key, timestamp }: Numbered, { later, sooner }): string[] => {
              if (timestamp > 1) return [];
              later.set(key, 10);
              sooner.set(key, 10);
              sooner.set('A', 10);
              later.set('z', 9);
              return [];
            },
            timer: ({ store, key, time }) => [`${store} ${key} ${time}`],
          },
        ),
      );
      expectObservable(processed).toBe('---(wxyz)-|', { w: 'later z 9', x: 'sooner A 10', y: 'later a 10', z: 'sooner a 10' });
    });
  });

  it('may set timers: later ones fire in the same round when they are due, others with the next one', () => {
    const fired: string[] = [];
    const source = new Subject<Numbered>();
    source
      .pipe(
        processWithStore(
          { timers: memoryStore(onEvents) },
          {
            record: ({ key, value }: Numbered, { timers }): string[] => {
              if (value > 0) timers.set(key, value);
              return [];
            },
            timer: ({ key, time }, { timers }) => {
              if (key === 'tick' && time < 40) timers.set(key, time + 10);
              if (key === 'again') timers.set(key, time);
              if (key === 'back') timers.set('back2', time - 1);
              return [`${key} ${time}`];
            },
          },
        ),
      )
      .subscribe((each) => fired.push(each));
    source.next(record('tick', 10, 0));
    source.next(record('again', 15, 0));
    source.next(record('back', 20, 0));
    source.next(record('x', 0, 35));
    expect(fired).toEqual(['tick 10', 'again 15', 'back 20', 'tick 20', 'tick 30']);
    source.next(record('x', 0, 36));
    expect(fired.slice(5)).toEqual(['again 15', 'back2 19']);
  });

  it('write with their time', () => {
    const [store, timers] = [memoryStore(counts), memoryStore(onEvents)];
    of(record('k', 1, 5), record('x', 0, 100))
      .pipe(
        processWithStore(
          { store, timers },
          {
            record: ({ key, value }: Numbered, { timers: ours }): never[] => {
              if (value > 0) ours.set(key, 50);
              return [];
            },
            timer: ({ key }, { store: own }) => (own.put(key, 1), []),
          },
        ),
      )
      .subscribe();
    expect(timestampOf(store, 'k')).toBe(50);
  });

  it('of the wall clock fire when it has come to theirs, and write with the greatest timestamp seen', () => {
    const store = memoryStore(counts);
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a----b-------|', { a: record('a', 6, 1_000), b: record('b', 9, 2_000) });
      const processed = source.pipe(
        processWithStore(
          { store, timers: memoryStore(onWall) },
          {
            record: ({ key, value }: Numbered, { timers }): string[] => {
              timers.set(key, value);
              return [];
            },
            timer: ({ key, time }, { store: own }) => (own.put(key, 1), [`${key} ${time}`]),
          },
        ),
      );
      expectObservable(processed).toBe('------x--y----|', { x: 'a 6', y: 'b 9' });
    });
    expect([timestampOf(store, 'a'), timestampOf(store, 'b')]).toEqual([2_000, 2_000]);
  });
});

describe('a promise given to processWithStore', () => {
  it('holds back what follows, so that everything comes in order', async () => {
    const seen: string[] = [];
    const waiting: (() => void)[] = [];
    const source = new Subject<Numbered>();
    let completed = false;
    source
      .pipe(
        processWithStore(
          { timers: memoryStore(onEvents) },
          {
            record: ({ key, timestamp }: Numbered, { timers }): string[] | Promise<string[]> => {
              timers.set(key, timestamp + 10);
              if (key !== 'slow') return [key];
              return new Promise((resolve) => waiting.push(() => resolve([key, 'more'])));
            },
            timer: ({ key, time }) => Promise.resolve([`${key} ${time}`]),
          },
        ),
      )
      .subscribe({ next: (each) => seen.push(each), complete: () => (completed = true) });
    source.next(record('slow', 0, 0));
    source.next(record('a', 0, 11));
    source.complete();
    await settled();
    expect([seen, completed]).toEqual([[], false]);
    waiting[0]!();
    await settled();
    expect(seen).toEqual(['slow', 'more', 'a', 'slow 10']);
    expect(completed).toBe(true);
  });

  it('may be that of a range scan', async () => {
    const seen: unknown[] = [];
    of(record('b', 2, 1), record('a', 1, 2), record('c', 3, 3))
      .pipe(
        processWithStore(
          { sums: memoryStore(sums) },
          {
            record: async ({ key, value }: Numbered, { sums: own }) => {
              own.put(key, value);
              let total = 0;
              for await (const [, each] of own.range()) total += each;
              return [total];
            },
          },
        ),
      )
      .subscribe((each) => seen.push(each));
    for (let turn = 0; turn < 10; turn++) await settled();
    expect(seen).toEqual([2, 3, 6]);
  });

  it('that is rejected ends the stream with PROCESSING', async () => {
    let failure: MillraceError | undefined;
    of(record('a', 1, 1))
      .pipe(processWithStore({ counts: memoryStore(counts) }, { record: () => Promise.reject(new Error('no')) }))
      .subscribe({ error: (error: MillraceError) => (failure = error) });
    await settled();
    expect(failure).toEqual(errorWith({ code: 'PROCESSING', message: 'processWithStore: no', where: { operator: 'processWithStore' } }));
  });

  it('and outlives its subscription changes nothing any more', async () => {
    const store = memoryStore(counts);
    let refused: MillraceError | undefined;
    let resume: () => void = () => undefined;
    const subscription = of(record('a', 1, 1))
      .pipe(
        mergeMap((one) => [one]),
        processWithStore(
          { store },
          {
            record: async ({ key }, { store: own }) => {
              await new Promise<void>((resolve) => (resume = resolve));
              try {
                own.put(key, 1);
              } catch (error) {
                refused = error as MillraceError;
              }
              return [];
            },
          },
        ),
      )
      .subscribe();
    subscription.unsubscribe();
    resume();
    await settled();
    expect(refused).toEqual(errorWith({ code: 'PROCESSING', message: 'after the call' }));
    expect(store.get('a')).toBeUndefined();
  });
});

describe('mistakes with processWithStore', () => {
  const nothing = { record: (): never[] => [] };

  it.each([
    ['no store', () => processWithStore({}, nothing), 'names no store'],
    ['something that is no store', () => processWithStore({ it: 5 }, nothing), 'stores.it is no store'],
    ['an object that is no store', () => processWithStore({ it: {} }, nothing), 'stores.it: this is no store'],
    [
      'one store twice',
      () => ((store) => processWithStore({ a: store, b: store }, nothing))(memoryStore(counts)),
      'same store as stores.a',
    ],
    ['timers nobody is told of', () => processWithStore({ timers: memoryStore(onEvents) }, nothing), 'timer is missing'],
    [
      'a timer function without timers',
      () => processWithStore({ counts: memoryStore(counts) }, { ...nothing, timer: () => [] }),
      'timer is never called',
    ],
  ])('%s is refused at assembly', (_, assemble, message) => {
    expect(assemble).toThrow(errorWith({ code: 'CONFIG', message }));
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('W15: a timer for %d is refused', (time) => {
    let failure: unknown;
    of(record('a', time, 1))
      .pipe(
        processWithStore(
          { timers: memoryStore(onEvents) },
          { record: ({ key, value }: Numbered, { timers }): never[] => (timers.set(key, value), [] as never[]), timer: () => [] },
        ),
      )
      .subscribe({ error: (error) => (failure = error) });
    expect(failure).toEqual(errorWith({ code: 'INVALID_TIMESTAMP', where: { operator: 'processWithStore', store: 'on-events' } }));
  });

  it('W15: timers that set the next one end at the last time there is, in an error', () => {
    const last = 2 ** 53 - 1;
    const fired: number[] = [];
    let failure: unknown;
    of(record('k', 1, last))
      .pipe(
        processWithStore(
          { timers: memoryStore(onEvents) },
          {
            record: ({ key }: Numbered, { timers }): string[] => (timers.set(key, last - 2), []),
            timer: ({ key, time }, { timers }) => (fired.push(time), timers.set(key, time + 1), []),
          },
        ),
      )
      .subscribe({ error: (error) => (failure = error) });
    expect(fired).toEqual([last - 2, last - 1, last]);
    expect(failure).toEqual(errorWith({ code: 'INVALID_TIMESTAMP', where: { operator: 'processWithStore', store: 'on-events' } }));
  });

  it('W15: a timer that sets itself for its own time again waits for the next record', () => {
    const last = 2 ** 53 - 1;
    const fired: number[] = [];
    of(record('k', 1, last), record('k', 2, last))
      .pipe(
        processWithStore(
          { timers: memoryStore(onEvents) },
          {
            record: ({ key, value }: Numbered, { timers }): string[] => (value === 1 && timers.set(key, last), []),
            timer: ({ key, time }, { timers }) => (fired.push(time), timers.set(key, time), []),
          },
        ),
      )
      .subscribe();
    expect(fired).toEqual([last, last]);
  });

  it('a timer without a key is refused', () => {
    let failure: unknown;
    of(record(null as unknown as string, 1, 1))
      .pipe(
        processWithStore(
          { timers: memoryStore(onEvents) },
          { record: ({ key }: Numbered, { timers }): never[] => (timers.set(key, 1), [] as never[]), timer: () => [] },
        ),
      )
      .subscribe({ error: (error) => (failure = error) });
    expect(failure).toEqual(errorWith({ code: 'NULL_KEY' }));
  });

  it('a function that gives nothing to iterate, or throws, ends the stream with PROCESSING', () => {
    for (const [given, message] of [
      [() => undefined as unknown as never[], '[] for nothing'],
      [
        () => {
          throw new Error('no');
        },
        'no',
      ],
    ] as const) {
      // prettier-ignore
      let failure: unknown;
      of(record('a', 1, 1))
        .pipe(processWithStore({ counts: memoryStore(counts) }, { record: given }))
        .subscribe({ error: (error) => (failure = error) });
      expect(failure).toEqual(errorWith({ code: 'PROCESSING', message }));
    }
  });

  it('a second subscription while one is active is refused', () => {
    const processed = NEVER.pipe(processWithStore({ counts: memoryStore(counts) }, nothing));
    const first = processed.subscribe();
    let failure: unknown;
    processed.subscribe({ error: (error) => (failure = error) });
    expect(failure).toEqual(errorWith({ code: 'STORE_IN_USE' }));
    first.unsubscribe();
  });
});
