import { concat, of, tap, throwError } from 'rxjs';
import { cogroupWithStore, countWithStore, grouped, mapWithStore, processWithStore, to } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { KafkaRecord } from '../../src/model/record';
import { keyValueStore } from '../../src/state/definition';
import type { Topology } from '../../src/task/topology';
import { memoryStore, record, testTopology } from '../../src/testing';
import { keyValueRows } from '../../src/testing/store-rows';
import { errorWith } from './errors';
import { marbles } from './marbles';

const counts = keyValueStore('counts', { key: string, value: int64, ttl: 10 });
const input = topic('input', { key: string, value: int64 });
const results = topic('results', { key: string, value: int64 });
const at = (key: string, timestamp: number): KafkaRecord<string, number> => record(key, 1, timestamp);

const counting: Topology = ({ stream, store }) => stream(input).pipe(countWithStore(store(counts)), to(results));
const written = ({ value, timestamp }: { readonly value: number; readonly timestamp: number }): string => `${value} at ${timestamp}`;

describe('a key-value store with ttl', () => {
  it('shows a row until event time is more than the ttl past its time', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c-d-|', { a: at('a', 0), b: at('b', 10), c: at('a', 5), d: at('a', 16) });
      const counted = source.pipe(countWithStore(memoryStore(counts)));
      // At 10 the row of 0 is read, and moves to 5; at 16 it is over.
      const out = '              -a-b-c-d-|';
      expectObservable(counted).toBe(out, {
        a: record('a', 1, 0),
        b: record('b', 1, 10),
        c: record('a', 2, 5),
        d: record('a', 1, 16),
      });
    });
  });

  it('Q6: takes a row away from store and changelog once its time is over, whoever moved event time', async () => {
    const store = memoryStore(counts);
    of(at('a', 0), at('b', 3), at('c', 11), at('d', 13)).pipe(countWithStore(store)).subscribe();
    expect((await keyValueRows(store)).map(({ key, timestamp }) => [key, timestamp])).toEqual([
      ['b', 3],
      ['c', 11],
      ['d', 13],
    ]);
  });

  it('goes by the time of the last write: what is written again lives on', () => {
    const store = memoryStore(counts);
    of(at('a', 0), at('a', 8), at('b', 15)).pipe(countWithStore(store)).subscribe();
    expect(store.get('a')).toBe(2);
  });

  it('hides what is written with a time that is over already', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-b-c|', { a: at('a', 100), b: at('b', 5), c: at('b', 5) });
      expectObservable(source.pipe(countWithStore(memoryStore(counts)))).toBe('-a-b-c|', {
        a: record('a', 1, 100),
        b: record('b', 1, 5),
        c: record('b', 1, 5),
      });
    });
  });

  it('ages by records that only read', () => {
    const store = memoryStore(counts);
    const seen: (number | undefined)[] = [];
    of(at('a', 0), at('b', 10), at('b', 11))
      .pipe(
        processWithStore(
          { store },
          {
            record: (one, { store: own }) => {
              seen.push(own.get('a'));
              if (one.key === 'a') own.put('a', 7);
              return [];
            },
          },
        ),
      )
      .subscribe();
    expect(seen).toEqual([undefined, 7, undefined]);
  });

  it('starts a state anew once the last one is over', () => {
    const store = memoryStore(counts);
    const results: number[] = [];
    of(at('a', 0), at('a', 10), at('a', 21))
      .pipe(
        mapWithStore(store, { initial: () => 0, step: (sum, value) => [sum + value, sum] }),
        tap(({ value }) => results.push(value)),
      )
      .subscribe();
    expect(results).toEqual([0, 1, 0]);
  });

  it('ages by every stream of a cogroup', () => {
    const store = memoryStore(counts);
    const add = (sum: number, value: number): number => sum + value;
    cogroupWithStore(store, {
      initial: () => 0,
      of: [grouped(concat(of(at('a', 0))), add), grouped(of(at('b', 11)), add)],
    }).subscribe();
    expect(store.get('a')).toBeUndefined();
  });

  it('hides from a range what get hides', async () => {
    const test = testTopology(({ stream, store }) =>
      stream(input).pipe(
        processWithStore(
          { own: store(counts) },
          {
            record: async (one, { own }) => {
              own.put(one.key, one.value);
              const keys: string[] = [];
              for await (const [key] of own.range()) keys.push(key);
              return [one.withValue(keys.length)];
            },
          },
        ),
        to(results),
      ),
    );
    test.pipe(input, at('a', 0));
    await test.settled();
    test.pipe(input, at('b', 11));
    await test.settled();
    expect(test.read(results).map(({ value }) => value)).toEqual([1, 1]);
  });

  it('is as it was after a restart: what was over is over, what was not ages on', () => {
    const test = testTopology(counting);
    test.pipe(input, at('a', 0), at('b', 5), at('z', 11));
    test.restart();
    test.pipe(input, at('a', 11), at('b', 12), at('z', 21));
    expect(test.read(results).map(written)).toEqual(['1 at 0', '1 at 5', '1 at 11', '1 at 11', '2 at 12', '2 at 21']);
    test.close();
  });

  it('undoes what a push has taken away when the push is undone', () => {
    let fails = true;
    const test = testTopology(
      ({ stream, store }) =>
        stream(input).pipe(
          countWithStore(store(counts)),
          tap(({ key }) => {
            if (key !== 'bad' || !fails) return;
            fails = false;
            throw new Error('planted');
          }),
          to(results),
        ),
      { onProcessingError: 'skip' },
    );
    test.pipe(input, at('a', 0), at('bad', 100), at('a', 1));
    expect(test.read(results).map(written)).toEqual(['1 at 0', '2 at 1']);
    test.close();
  });

  it('W15: keeps its rows at the last time there is', () => {
    const store = memoryStore(counts);
    const last = 2 ** 53 - 1;
    of(at('a', last), at('b', last - 10), at('c', last - 11))
      .pipe(countWithStore(store))
      .subscribe();
    expect([store.get('a'), store.get('b'), store.get('c')]).toEqual([1, 1, undefined]);
  });

  it('takes nothing more away once its stream has failed', () => {
    const store = memoryStore(counts);
    const errors: unknown[] = [];
    concat(
      of(at('a', 0)),
      throwError(() => new Error('planted')),
    )
      .pipe(countWithStore(store))
      .subscribe({ error: (error) => errors.push(error) });
    expect([errors.length, store.get('a')]).toEqual([1, 1]);
  });

  it.each([0, -1, 1.5, NaN, Infinity, '10'])('refuses the ttl %s, by name', (ttl) => {
    const where = { store: 'seen', option: 'ttl' };
    expect(() => keyValueStore('seen', { key: string, value: int64, ttl: ttl as number })).toThrow(errorWith({ code: 'CONFIG', where }));
  });
});
