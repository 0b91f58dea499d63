import { of, tap, throwError } from 'rxjs';
import { deduplicate, to } from '../../operators';
import { int32, int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { KafkaRecord } from '../../src/model/record';
import type { KeyValueStore } from '../../src/model/store-definition';
import { keyValueStore } from '../../src/state/definition';
import type { Topology } from '../../src/task/topology';
import { memoryStore, record, testTopology } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { keyValueRows } from '../../src/testing/store-rows';
import { errorWith } from './errors';
import { marbles } from './marbles';

const seen = keyValueStore('seen', { key: string, value: int64 });
const input = topic('input', { key: string, value: string });
const results = topic('results', { key: string, value: string });
const at = (key: string, timestamp: number, id = 'v'): KafkaRecord<string, string> => record(key, id, timestamp);
const byId = (id: string): string => id;
const written = ({ key, value, timestamp }: KafkaRecord<unknown, unknown>): string => `${String(key)} ${String(value)} ${timestamp}`;

/** What passes of these records. */
function passing(records: readonly KafkaRecord<string, string>[], within: number, id?: (value: string) => string): string[] {
  const passed: string[] = [];
  of(...records)
    .pipe(deduplicate(memoryStore(seen), { within, ...(id && { id }) }))
    .subscribe((one) => passed.push(written(one)));
  return passed;
}

describe('deduplicate', () => {
  it('lets the first record of a key pass, and one that is further than the duration behind it', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const records = { a: at('a', 0), b: at('a', 4), c: at('b', 5), d: at('a', 10), e: at('a', 11) };
      const source = cold('-a-b-c-d-e|', records);
      const subs = '       ^---------!';
      const out = '        -a---c---e|';
      expectObservable(source.pipe(deduplicate(memoryStore(seen), { within: 10 }))).toBe(out, records);
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('goes by what has passed: what is like a dropped record alone passes', () => {
    expect(passing([at('a', 0), at('a', 8), at('a', 12), at('a', 20), at('a', 23)], 10)).toEqual(['a v 0', 'a v 12', 'a v 23']);
  });

  it('drops a record out of order that is near enough to one that has passed', () => {
    expect(passing([at('a', 100), at('a', 92), at('a', 90)], 10)).toEqual(['a v 100']);
  });

  it('lets late records pass for which nothing is found, and does not remember them', () => {
    expect(passing([at('a', 100), at('b', 89), at('b', 89), at('a', 89), at('a', 101)], 10)).toEqual([
      'a v 100',
      'b v 89',
      'b v 89',
      'a v 89',
    ]);
  });

  it('drops a late record whose like is still known', () => {
    expect(passing([at('a', 100), at('b', 110), at('a', 95)], 10)).toEqual(['a v 100', 'b v 110']);
  });

  it('tells records of a key apart by their id', () => {
    expect(passing([at('a', 0, 'x'), at('a', 1, 'y'), at('a', 2, 'x'), at('a', 3, 'y')], 10, byId)).toEqual(['a x 0', 'a y 1']);
  });

  it('tells records of an id apart by their key, and never mixes the two up', () => {
    const pairs = [at('a', 0, 'bc'), at('ab', 0, 'c'), at('abc', 0, ''), at('', 0, 'abc'), at('', 0, ''), at('é', 0, 'é')];
    expect(passing([...pairs, ...pairs], 10, byId)).toHaveLength(pairs.length);
  });

  it('keeps ids beside keys of any codec', () => {
    const numbered = keyValueStore('numbered', { key: int32, value: int64 });
    const passed: string[] = [];
    of(record(1, 'x', 0), record(1, 'y', 0), record(2, 'x', 0), record(1, 'x', 30), record(2, 'x', 31))
      .pipe(deduplicate(memoryStore(numbered), { within: 10, id: byId }))
      .subscribe((one) => passed.push(written(one)));
    expect(passed).toEqual(['1 x 0', '1 y 0', '2 x 0', '1 x 30', '2 x 31']);
  });

  it('counts what it drops, and null keys', () => {
    const store = memoryStore(keyValueStore('seen', { key: string, value: int64 }));
    of(at('a', 0), at('a', 1), at(null as unknown as string, 2))
      .pipe(deduplicate(store, { within: 10 }))
      .subscribe();
    expect(droppedRecords(store)).toBe(2);
  });

  it('keeps in its store the times of what has passed, no more than the duration back', async () => {
    const store = memoryStore(seen);
    of(at('a', 0), at('b', 3), at('c', 11), at('a', 13))
      .pipe(deduplicate(store, { within: 10 }))
      .subscribe();
    expect((await keyValueRows(store)).map(({ key, value }) => [key, value])).toEqual([
      ['a', 13],
      ['b', 3],
      ['c', 11],
    ]);
    of(at('d', 14))
      .pipe(deduplicate(store, { within: 10 }))
      .subscribe();
    expect(store.get('b')).toBeUndefined();
  });

  it('keeps no more than the duration of ids either', async () => {
    const store = memoryStore(seen);
    const many = Array.from({ length: 1_000 }, (_, time) => at('a', time, `id ${time}`));
    of(...many)
      .pipe(deduplicate(store, { within: 10, id: byId }))
      .subscribe();
    let rows = 0;
    for await (const [, time] of store.range()) rows += time >= 989 ? 1 : 1_000;
    expect(rows).toBe(11);
  });

  it('lets records pass as they are, whatever their value', () => {
    const first = record<string, string | null>('a', null, 0);
    const passed: unknown[] = [];
    of(first)
      .pipe(deduplicate(memoryStore(seen), { within: 1 }))
      .subscribe((one) => passed.push(one));
    expect(passed[0]).toBe(first);
  });

  it('W15: takes the last time there is', () => {
    const last = 2 ** 53 - 1;
    expect(passing([at('a', last), at('a', last - 10), at('a', last - 11)], 10)).toEqual([`a v ${last}`, `a v ${last - 11}`]);
  });
});

describe('deduplicate across restarts', () => {
  const topology =
    (id?: (value: string) => string): Topology =>
    ({ stream, store }) =>
      stream(input).pipe(deduplicate(store(seen), { within: 10, ...(id && { id }) }), to(results));

  it.each([
    ['keys', undefined],
    ['ids', byId],
  ])('remembers %s, and forgets them in time', (_, id) => {
    const test = testTopology(topology(id));
    test.pipe(input, at('a', 0, 'x'), at('b', 5, 'y'));
    test.restart();
    test.pipe(input, at('a', 10, 'x'), at('b', 10, 'y'), at('a', 11, 'x'), at('b', 15, 'y'), at('b', 16, 'y'));
    expect(test.read(results).map(({ key, timestamp }) => `${key} ${timestamp}`)).toEqual(['a 0', 'b 5', 'a 11', 'b 16']);
    test.close();
  });

  it('undoes what it remembered of a push that is undone', () => {
    let fails = true;
    const test = testTopology(
      ({ stream, store }) =>
        stream(input).pipe(
          deduplicate(store(seen), { within: 10 }),
          tap(() => {
            if (!fails) return;
            fails = false;
            throw new Error('planted');
          }),
          to(results),
        ),
      { onProcessingError: 'skip' },
    );
    test.pipe(input, at('a', 0), at('a', 1), at('a', 2));
    expect(test.read(results).map(({ timestamp }) => timestamp)).toEqual([1]);
    test.close();
  });
});

describe('mistakes with deduplicate', () => {
  const errorOf = (store: KeyValueStore<string, number>, options: object): unknown => {
    try {
      deduplicate<string, string>(store, options as { within: number });
      return undefined;
    } catch (error) {
      return error;
    }
  };

  it.each([0, -1, 1.5, NaN, Infinity, undefined])('within %s is refused, by name', (within) => {
    const where = { operator: 'deduplicate', option: 'within' };
    expect(errorOf(memoryStore(seen), { within })).toEqual(errorWith({ code: 'CONFIG', where }));
  });

  it('an id that is no function is refused, by name', () => {
    const where = { operator: 'deduplicate', option: 'id' };
    expect(errorOf(memoryStore(seen), { within: 1, id: 'id' })).toEqual(errorWith({ code: 'CONFIG', where }));
  });

  it('a store with a ttl of its own is refused', () => {
    const store = memoryStore(keyValueStore('seen', { key: string, value: int64, ttl: 5 }));
    expect(errorOf(store, { within: 1 })).toEqual(errorWith({ code: 'CONFIG', message: 'without a ttl' }));
  });

  it('an id function that gives no text ends the stream with PROCESSING', () => {
    let failure: unknown;
    of(at('a', 0))
      .pipe(deduplicate(memoryStore(seen), { within: 1, id: () => undefined as unknown as string }))
      .subscribe({ error: (error) => (failure = error) });
    expect(failure).toEqual(errorWith({ code: 'PROCESSING', message: 'it must give a text', where: { operator: 'deduplicate' } }));
  });

  it('an id that is half a character is refused: two such ids would be one', () => {
    let failure: unknown;
    of(at('a', 0))
      .pipe(deduplicate(memoryStore(seen), { within: 1, id: () => '\ud800' }))
      .subscribe({ error: (error) => (failure = error) });
    expect(failure).toEqual(errorWith({ code: 'ENCODE' }));
  });

  it('a store kept by key and id cannot be asked by key', () => {
    const store = memoryStore(seen);
    of(at('a', 0))
      .pipe(deduplicate(store, { within: 1, id: byId }))
      .subscribe();
    expect(() => store.get('a')).toThrow(errorWith({ code: 'CONFIG', where: { store: 'seen' } }));
  });

  it('a timestamp that is none ends the stream with INVALID_TIMESTAMP', () => {
    let failure: unknown;
    of(at('a', -1))
      .pipe(deduplicate(memoryStore(seen), { within: 1 }))
      .subscribe({ error: (error) => (failure = error) });
    expect(failure).toEqual(errorWith({ code: 'INVALID_TIMESTAMP', where: { operator: 'deduplicate' } }));
  });

  it('an error of the source is handed on', () => {
    let failure: unknown;
    const planted = new Error('planted');
    throwError(() => planted)
      .pipe(deduplicate(memoryStore(seen), { within: 1 }))
      .subscribe({ error: (error) => (failure = error) });
    expect(failure).toBe(planted);
  });
});
