import { map, merge, type Observable, of, Subject } from 'rxjs';
import {
  countWithStore,
  filterValues,
  mapValues,
  sessionize,
  suppress,
  windowBy,
  windowHopping,
  windowSliding,
  windowTumbling,
} from '../../operators';
import { nullable } from '../../src/codec/nullable';
import { int64, string } from '../../src/codec/primitives';
import { type Origin, noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import type { Windowed } from '../../src/model/window';
import { sessionStore, windowStore } from '../../src/state/definition';
import { suppressStore } from '../../src/state/suppress-definition';
import { memoryStore, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { errorWith } from './errors';
import { marbles } from './marbles';

const windows = { size: 10, grace: 5 };
const counts = windowStore('counts', { key: string, value: int64, windows });
const finals = suppressStore('finals', counts.output);
const updates = suppressStore('updates', { key: string, value: nullable(int64) });

const at = (key: string, timestamp: number, value: number | null = 1): KafkaRecord<string, number | null> => record(key, value, timestamp);
const windowed = (key: string, start: number, end: number): Windowed<string> => ({ key, start, end });
const shown = ({ key: { key, start, end }, value, timestamp }: KafkaRecord<Windowed<string>, unknown>): string =>
  `${key} ${start}-${end} ${String(value)} at ${timestamp}`;
const plain = ({ key, value, timestamp }: KafkaRecord<string, unknown>): string => `${key} ${String(value)} at ${timestamp}`;

/** What comes of these records, after which of them. */
function emittedBy<In, Out>(inputs: readonly In[], operators: (source: Subject<In>) => Observable<Out>): readonly Out[][] {
  const source = new Subject<In>();
  let out: Out[] = [];
  operators(source).subscribe({
    next: (one) => out.push(one),
    error: (error: unknown) => {
      throw error;
    },
  });
  return inputs.map((input) => {
    source.next(input);
    const emitted = out;
    out = [];
    return emitted;
  });
}

describe('suppress until windows close', () => {
  it('emits one result a window, when event time less grace has come to its end', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-d-e|', { a: at('k', 1), b: at('k', 9), c: at('k', 14), d: at('k', 3), e: at('k', 15) });
      const subs = '       ^---------!';
      const out = '        ---------x|';
      const result = source.pipe(
        windowTumbling(windows),
        countWithStore(memoryStore(counts)),
        suppress(memoryStore(finals), { until: 'windowCloses' }),
      );
      expectObservable(result).toBe(out, { x: record(windowed('k', 0, 10), 3, 9) });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('emits by the end of the window, then key bytes, then start', () => {
    const hopping = { size: 10, advance: 5, grace: 0 };
    const store = windowStore('hopping', { key: string, value: int64, windows: hopping });
    const emitted = emittedBy([at('b', 7), at('é', 7), at('ab', 8), at('a', 12), at('z', 100)], (source) =>
      source.pipe(
        windowHopping(hopping),
        countWithStore(memoryStore(store)),
        suppress(memoryStore(suppressStore('finals', store.output)), { until: 'windowCloses' }),
        map(shown),
      ),
    );
    expect(emitted.at(-1)).toEqual(['a 5-15 1 at 12', 'ab 5-15 1 at 8', 'b 5-15 1 at 7', 'é 5-15 1 at 7', 'a 10-20 1 at 12']);
    expect(emitted.slice(0, -1)).toEqual([[], [], [], ['ab 0-10 1 at 8', 'b 0-10 1 at 7', 'é 0-10 1 at 7']]);
  });

  it('emits nothing of a window whose last result is null', () => {
    const inputs = [at('k', 1), at('l', 2), at('k', 3, null), at('z', 15)];
    const emitted = emittedBy(inputs, (source) =>
      source.pipe(
        map((one) => one.withKey(windowed(one.key, 0, 10)).assumePlaced()),
        suppress(memoryStore(finals), { until: 'windowCloses' }),
        map(shown),
      ),
    );
    expect(emitted).toEqual([[], [], [], ['l 0-10 1 at 2', 'z 0-10 1 at 15']]);
  });

  it('waits for the longest grace of the aggregates before it', () => {
    const patient = { size: 10, grace: 20 };
    const other = windowStore('other', { key: string, value: int64, windows: patient });
    const left = new Subject<KafkaRecord<string, number | null>>();
    const right = new Subject<KafkaRecord<string, number | null>>();
    const emitted: string[] = [];
    merge(
      left.pipe(windowTumbling(windows), countWithStore(memoryStore(counts))),
      right.pipe(windowTumbling(patient), countWithStore(memoryStore(other))),
    )
      .pipe(suppress(memoryStore(finals), { until: 'windowCloses' }), map(shown))
      .subscribe((one) => emitted.push(one));
    left.next(at('k', 1));
    left.next(at('k', 15));
    expect(emitted).toEqual([]);
    right.next(at('k', 30));
    expect(emitted).toEqual(['k 0-10 1 at 1']);
  });

  it('knows the windows from the key codec of its store, whatever lies between', () => {
    const emitted = emittedBy([at('k', 1), at('k', 14), at('k', 15)], (source) =>
      source.pipe(
        windowTumbling(windows),
        countWithStore(memoryStore(counts)),
        mapValues((count) => count * 10),
        filterValues(() => true),
        suppress(memoryStore(finals), { until: 'windowCloses' }),
        map(shown),
      ),
    );
    expect(emitted.flat()).toEqual(['k 0-10 10 at 1']);
  });

  it('knows the windows from the aggregate before it, if the key codec is of one’s own', () => {
    const { key, value } = counts.output;
    const own = suppressStore('own', {
      key: { encode: (windowed: Windowed<string>) => key.encode(windowed), decode: (bytes) => key.decode(bytes) },
      value,
    });
    const emitted = emittedBy([at('k', 1), at('k', 14), at('k', 15)], (source) =>
      source.pipe(
        windowTumbling(windows),
        countWithStore(memoryStore(counts)),
        mapValues((count) => count * 10),
        suppress(memoryStore(own), { until: 'windowCloses' }),
        map(shown),
      ),
    );
    expect(emitted.flat()).toEqual(['k 0-10 10 at 1']);
  });

  it('holds back results of windows of one’s own', () => {
    const thirds = {
      windowsOf: (time: number) => [{ start: time - (time % 3), end: time - (time % 3) + 3 }],
      endOf: (start: number) => start + 3,
      grace: 1,
    };
    const store = windowStore('thirds', { key: string, value: int64, windows: thirds });
    const emitted = emittedBy([at('k', 1), at('k', 3), at('k', 4)], (source) =>
      source.pipe(
        windowBy(thirds),
        countWithStore(memoryStore(store)),
        suppress(memoryStore(suppressStore('finals', store.output)), { until: 'windowCloses' }),
        map(shown),
      ),
    );
    expect(emitted).toEqual([[], [], ['k 0-3 1 at 1']]);
  });
});

describe('suppress of windows whose end belongs to them', () => {
  const visit = { gap: 10, grace: 0 };
  const open = sessionStore('visits', { key: string, value: int64, windows: visit, retention: 10_000 });
  const sessions = (definition: typeof open, times: readonly (readonly [string, number])[], store = finalsOf(definition)) =>
    emittedBy(
      times.map(([key, time]) => at(key, time)),
      (source) =>
        source.pipe(sessionize(visit), countWithStore(memoryStore(definition)), suppress(store, { until: 'windowCloses' }), map(shown)),
    );
  const finalsOf = (definition: typeof open) => memoryStore(suppressStore('finals', definition.output));
  const times = [
    ['a', 0],
    ['b', 10],
    ['a', 0],
    ['b', 30],
  ] as const;

  it('emits a session once it is past gap and grace: a record at the very bound still counts', () => {
    expect(sessions(open, times)).toEqual([[], [], [], ['a 0-0 2 at 0', 'b 10-10 1 at 10']]);
  });

  it('does the same without a retention, and takes back no session', () => {
    const definition = sessionStore('visits', { key: string, value: int64, windows: visit });
    expect(sessions(definition, [['a', 0], ['a', 8], ['b', 19], ['b', 40]])).toEqual([[], [], ['a 0-8 2 at 8'], ['b 19-19 1 at 19']]); // prettier-ignore
  });

  it('emits at the end itself with the least retention, as Kafka Streams does; a second result of a session is late', () => {
    const definition = sessionStore('visits', { key: string, value: int64, windows: visit, retention: 10 });
    const store = finalsOf(definition);
    expect(sessions(definition, times, store)).toEqual([[], ['a 0-0 1 at 0'], [], ['b 10-10 1 at 10']]);
    expect(droppedRecords(store)).toBe(1);
  });

  it('emits a sliding window once, with what came at the very bound', () => {
    const sliding = { difference: 10, grace: 0 };
    const definition = windowStore('sliding', { key: string, value: int64, windows: sliding });
    const emitted = emittedBy([at('a', 20), at('a', 30), at('a', 20), at('a', 60)], (source) =>
      source.pipe(
        windowSliding(sliding),
        countWithStore(memoryStore(definition)),
        suppress(memoryStore(suppressStore('finals', definition.output)), { until: 'windowCloses' }),
        map(shown),
      ),
    );
    expect(emitted).toEqual([[], ['a 10-20 1 at 20'], [], ['a 20-30 3 at 30', 'a 21-31 1 at 30']]);
  });
});

describe('suppress until a time limit', () => {
  it('emits the latest of a key, once its first has waited for the limit', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c-d-e|', { a: at('a', 1, 10), b: at('b', 2, 20), c: at('a', 3, 30), d: at('z', 11), e: at('z', 12) });
      const out = '        -------x-y|';
      const result = source.pipe(suppress(memoryStore(updates), { until: { limit: 10 } }));
      expectObservable(result).toBe(out, { x: at('a', 3, 30), y: at('b', 2, 20) });
    });
  });

  it('lets nulls pass, in their turn', () => {
    const emitted = emittedBy([at('a', 0), at('a', 1, null), at('z', 10)], (source) =>
      source.pipe(suppress(memoryStore(updates), { until: { limit: 10 } }), map(plain)),
    );
    expect(emitted).toEqual([[], [], ['a null at 1']]);
  });

  it('of 0 lets everything pass at once', () => {
    const emitted = emittedBy([at('a', 5), at('b', 3)], (source) =>
      source.pipe(suppress(memoryStore(updates), { until: { limit: 0 } }), map(plain)),
    );
    expect(emitted).toEqual([['a 1 at 5'], ['b 1 at 3']]);
  });

  it('holds back results of windows too, by their timestamps', () => {
    const emitted = emittedBy([at('k', 1), at('k', 2), at('k', 6)], (source) =>
      source.pipe(
        windowTumbling(windows),
        countWithStore(memoryStore(counts)),
        suppress(memoryStore(finals), { until: { limit: 5 } }),
        map(shown),
      ),
    );
    expect(emitted.flat()).toEqual(['k 0-10 3 at 6']);
  });

  it('gives a result the headers of the latest', () => {
    const withHeader = (one: KafkaRecord<string, number | null>, text: string): KafkaRecord<string, number | null> => {
      const origin: Origin = { ...noOrigin, headers: new Map([['trace', Buffer.from(text)]]) };
      return KafkaRecord.of(one.key, one.value, one.timestamp, origin);
    };
    const emitted = emittedBy([withHeader(at('a', 0), 'first'), withHeader(at('a', 1), 'é'), at('z', 10)], (source) =>
      source.pipe(suppress(memoryStore(updates), { until: { limit: 10 } })),
    );
    const [one] = emitted.flat();
    expect([...one!.headers].map(([name, value]) => [name, Buffer.from(value).toString()])).toEqual([['trace', 'é']]);
  });

  it('drops null keys, and counts them', () => {
    const store = memoryStore(updates);
    const emitted = emittedBy([at(null as unknown as string, 100), at('a', 0)], (source) =>
      source.pipe(suppress(store, { until: { limit: 10 } })),
    );
    expect([emitted.flat(), droppedRecords(store)]).toEqual([[], 1]);
  });

  it('W15: comes to an end at the last time there is', () => {
    const last = 2 ** 53 - 1;
    const emitted = emittedBy([at('a', last - 1), at('b', last), at('a', last)], (source) =>
      source.pipe(suppress(memoryStore(updates), { until: { limit: 1 } }), map(plain)),
    );
    expect(emitted).toEqual([[], [`a 1 at ${last - 1}`], []]);
  });

  it('W15: never closes a window that ends behind the last time there is', () => {
    const last = 2 ** 53 - 1;
    const emitted = emittedBy([at('a', last), at('b', last)], (source) =>
      source.pipe(windowTumbling(windows), countWithStore(memoryStore(counts)), suppress(memoryStore(finals), { until: 'windowCloses' })),
    );
    expect(emitted).toEqual([[], []]);
  });
});

describe('suppress with bounds', () => {
  const bounded = (
    options: Omit<Parameters<typeof suppress<string, number | null>>[1], 'until'>,
    inputs: readonly ReturnType<typeof at>[],
  ) => emittedBy(inputs, (source) => source.pipe(suppress(memoryStore(updates), { until: { limit: 1_000 }, ...options }), map(plain)));

  it('emits the oldest early once it holds more records than it may', () => {
    expect(bounded({ maxRecords: 2 }, [at('a', 5), at('b', 3), at('a', 7, 2), at('c', 9), at('d', 4)])).toEqual([
      [],
      [],
      [],
      ['b 1 at 3'],
      ['d 1 at 4'],
    ]);
  });

  it('emits what is due first, and early no more than it must', () => {
    expect(bounded({ maxRecords: 1 }, [at('a', 0), at('b', 1_000), at('c', 1_001)])).toEqual([[], ['a 1 at 0'], ['b 1 at 1000']]);
  });

  it('counts bytes of keys, values, headers and timestamps', () => {
    // A one-letter key and an int64 are 9 bytes, a timestamp 8; a null has no value.
    expect(bounded({ maxBytes: 34 }, [at('a', 0), at('b', 1)]).flat()).toEqual([]);
    expect(bounded({ maxBytes: 33 }, [at('a', 0), at('b', 1)]).flat()).toEqual(['a 1 at 0']);
    expect(bounded({ maxBytes: 26 }, [at('a', 0), at('b', 1, null)]).flat()).toEqual([]);
    expect(bounded({ maxBytes: 34 }, [at('a', 0, null), at('b', 1), at('a', 2), at('éé', 3, null)]).flat()).toEqual(['a 1 at 2']);
  });

  it('forgets the size of what it has released', () => {
    const many = Array.from({ length: 100 }, (_, time) => at(`k${time % 7}`, time));
    const emitted = emittedBy(many, (source) => source.pipe(suppress(memoryStore(updates), { until: { limit: 5 }, maxBytes: 5 * 18 })));
    expect(emitted.flat()).toHaveLength(95);
  });

  it('fails, and says of what, when it is told to', () => {
    const inputs = [at('a', 0), at('a', 1), at('b', 2)];
    expect(() => bounded({ maxRecords: 1, whenFull: 'fail' }, inputs.slice(0, 2))).not.toThrow();
    let failure: unknown;
    of(...inputs)
      .pipe(suppress(memoryStore(updates), { until: { limit: 10 }, maxRecords: 1, whenFull: 'fail' }))
      .subscribe({ error: (error) => (failure = error) });
    expect(failure).toEqual(errorWith({ code: 'SUPPRESS_FULL', where: { operator: 'suppress', store: 'updates' } }));
  });

  it('fails when final results are held back beyond it', () => {
    let failure: unknown;
    of(at('a', 0), at('b', 0), at('c', 2))
      .pipe(
        windowTumbling(windows),
        countWithStore(memoryStore(counts)),
        suppress(memoryStore(finals), { until: 'windowCloses', maxRecords: 2 }),
      )
      .subscribe({ error: (error) => (failure = error) });
    expect(failure).toEqual(errorWith({ code: 'SUPPRESS_FULL' }));
  });
});

describe('mistakes with suppress', () => {
  const wrong = (options: object): unknown => {
    try {
      suppress(memoryStore(updates), options as { until: 'windowCloses' });
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const failureOf = (source: Observable<unknown>): unknown => {
    let failure: unknown;
    source.subscribe({ error: (error) => (failure = error) });
    return failure;
  };
  const final = { until: 'windowCloses' } as const;

  it.each([
    ['until', { until: 'later' }],
    ['until', {}],
    ['until', { until: null }],
    ['until.limit', { until: { limit: -1 } }],
    ['until.limit', { until: { limit: 1.5 } }],
    ['until.limit', { until: { limit: NaN } }],
    ['until.limit', { until: { limit: Infinity } }],
    ['maxRecords', { until: { limit: 1 }, maxRecords: -1 }],
    ['maxRecords', { until: { limit: 1 }, maxRecords: NaN }],
    ['maxBytes', { until: { limit: 1 }, maxBytes: 0.5 }],
    ['whenFull', { until: { limit: 1 }, whenFull: 'wait' }],
    ['whenFull', { until: 'windowCloses', whenFull: 'emit' }],
  ])('the option %s is refused in %p', (option, options) => {
    expect(wrong(options)).toEqual(errorWith({ code: 'CONFIG', where: { operator: 'suppress', option } }));
  });

  it('a store of another kind is refused', () => {
    const store = memoryStore(counts) as never;
    expect(() => suppress(store, { until: { limit: 1 } })).toThrow(errorWith({ code: 'CONFIG', message: 'suppressStore' }));
  });

  it('results that are not of windows are refused before the first of them', () => {
    const source = new Subject<KafkaRecord<string, number>>();
    const failure = failureOf(source.pipe(suppress(memoryStore(updates), final)));
    expect(failure).toEqual(errorWith({ code: 'CONFIG', where: { operator: 'suppress', option: 'until' } }));
    expect(source.observed).toBe(false);
  });

  it('a key without an end is refused', () => {
    const failure = failureOf(of(record('k' as unknown as Windowed<string>, 1, 0)).pipe(suppress(memoryStore(finals), final)));
    expect(failure).toEqual(errorWith({ code: 'CONFIG', message: 'it has no end' }));
  });

  it('windows other than those of the store are refused, grace apart', () => {
    const other = windowStore('other', { key: string, value: int64, windows: { size: 20 } });
    const source = new Subject<KafkaRecord<string, number>>();
    const failure = failureOf(
      source.pipe(windowTumbling({ size: 20 }), countWithStore(memoryStore(other)), suppress(memoryStore(finals), final)),
    );
    expect(failure).toEqual(errorWith({ code: 'STORE_WINDOWS', where: { operator: 'suppress', store: 'finals' } }));
  });

  it.each([
    ['count records', { records: 3 }],
    ['have no end', { size: Infinity }],
  ])('windows that %s are refused: they never close by time', (_, of) => {
    const store = windowStore('other', { key: string, value: int64, windows: of });
    const source = new Subject<KafkaRecord<Windowed<string>, number>>();
    const failure = failureOf(source.pipe(suppress(memoryStore(suppressStore('finals', store.output)), final)));
    expect(failure).toEqual(errorWith({ code: 'CONFIG', message: 'never close by time' }));
  });

  it('a value that does not encode names store and key', () => {
    const failure = failureOf(of(at('a', 0, 1.5)).pipe(suppress(memoryStore(updates), { until: { limit: 1 } })));
    expect(failure).toEqual(errorWith({ code: 'ENCODE', message: "the value of key 'a'" }));
  });

  it('a second subscription while one is active is refused', () => {
    const suppressed = new Subject<ReturnType<typeof at>>().pipe(suppress(memoryStore(updates), { until: { limit: 1 } }));
    suppressed.subscribe();
    expect(failureOf(suppressed)).toEqual(errorWith({ code: 'STORE_IN_USE' }));
  });

  it('a timestamp that is none ends the stream', () => {
    const failure = failureOf(of(at('a', -1)).pipe(suppress(memoryStore(updates), { until: { limit: 1 } })));
    expect(failure).toEqual(errorWith({ code: 'INVALID_TIMESTAMP' }));
  });
});
