import { type Observable, timer } from 'rxjs';
import { lookup } from '../../operators';
import type { LookupFetch, LookupOptions } from '../../operators';
import { record } from '../../src/testing';
import { errorWith } from './errors';
import { marbles } from './marbles';

/** Settles in virtual time: a promise of the language would only after the diagram has been run. */
function promiseOf<R>(given: Observable<unknown>, settle: () => R): Promise<R> {
  const then = (resolve: (result: R) => void, reject: (cause: unknown) => void): void => {
    given.subscribe(() => {
      try {
        resolve(settle());
      } catch (cause) {
        reject(cause);
      }
    });
  };
  return { then } as unknown as Promise<R>;
}

/** Answers `<id>!`, after as many frames as the id says with its last digit. */
const slow: LookupFetch<string, string> = (id) => promiseOf(timer(Number(id.at(-1))), () => `${id}!`);
const byValue = { id: (value: string): string => value };

const [a5, b1, c1] = [record('a', 'a5', 1), record('b', 'b1', 2), record('c', 'c1', 3)];
const out = { A: record('a', ['a5', 'a5!'], 1), B: record('b', ['b1', 'b1!'], 2), C: record('c', ['c1', 'c1!'], 3) };

describe('lookup', () => {
  it('gives each record with its answer, in the order of the records', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold(' -ab------c-|', { a: a5, b: b1, c: c1 });
      const subs = '        ^----------!';
      const expected = '    ------(AB)C|';
      expectObservable(source.pipe(lookup(slow, byValue))).toBe(expected, out);
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('asks for no more than `concurrency` records at a time', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold(' -(abc)-------|', { a: a5, b: b1, c: c1 });
      const expected = '    ------ABC----|';
      expectObservable(source.pipe(lookup(slow, { ...byValue, concurrency: 1 }))).toBe(expected, out);
    });
  });

  it('completes once all have been answered', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('-a|', { a: a5 }).pipe(lookup(slow, byValue))).toBe('------(A|)', out);
    });
  });

  it('passes undefined and null on as they are', () => {
    marbles(({ cold, expectObservable }) => {
      const fetch = (id: string): Promise<string | null | undefined> => promiseOf(timer(1), () => (id === 'none' ? undefined : null));
      const source = cold('-a-b-|', { a: record('a', 'none', 1), b: record('b', 'nil', 2) });
      const values = { A: record('a', ['none', undefined], 1), B: record('b', ['nil', null], 2) };
      expectObservable(source.pipe(lookup(fetch, byValue))).toBe('--A-B|', values);
    });
  });

  it('gives null values to `id` like any other', () => {
    marbles(({ cold, expectObservable }) => {
      const id = (value: string | null): string => value ?? 'nobody1';
      const source = cold('-a-|', { a: record('a', null as string | null, 1) });
      expectObservable(source.pipe(lookup(slow, { id }))).toBe('--A|', { A: record('a', [null, 'nobody1!'], 1) });
    });
  });

  it('ends with what a promise was rejected with when the turn of its record comes', () => {
    marbles(({ cold, expectObservable }) => {
      const fetch = (id: string): Promise<string> =>
        id === 'a5'
          ? slow(id, new AbortController().signal)
          : promiseOf(timer(1), () => {
              throw new Error('refused');
            });
      const error = errorWith({ code: 'PROCESSING', message: 'lookup: refused', where: { operator: 'lookup' } });
      expectObservable(cold('-ab---', { a: a5, b: b1 }).pipe(lookup(fetch, byValue))).toBe('------(A#)', out, error);
    });
  });

  it.each([
    ['throws', () => JSON.parse('{') as Promise<string>, 'lookup: '],
    [
      'gives no promise',
      () => 'at once' as unknown as Promise<string>,
      "lookup: the function gave 'at once' for the id 'a5'; it must give a promise",
    ],
  ])('ends with PROCESSING when the function %s', (_, fetch, message) => {
    marbles(({ cold, expectObservable }) => {
      const error = errorWith({ code: 'PROCESSING', message });
      expectObservable(cold('-a', { a: a5 }).pipe(lookup(fetch, byValue))).toBe('-#', {}, error);
    });
  });

  it('ends with LOOKUP_TIMEOUT when the answer is late, and aborts the call', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const signals: AbortSignal[] = [];
      const fetch: LookupFetch<string, string> = (id, signal) => (signals.push(signal), slow(id, signal));
      const message = "lookup: no answer for the id 'a5' within 4 ms";
      const error = errorWith({ code: 'LOOKUP_TIMEOUT', message, where: { operator: 'lookup' } });
      expectObservable(cold('-a----', { a: a5 }).pipe(lookup(fetch, { ...byValue, timeout: 4 }))).toBe('-----#', {}, error);
      flush();
      expect(signals.map(({ aborted, reason }) => [aborted, (reason as { code?: string }).code])).toEqual([[true, 'LOOKUP_TIMEOUT']]);
    });
  });

  it('aborts what is out when it is unsubscribed, and nothing that was answered', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const signals: AbortSignal[] = [];
      const fetch: LookupFetch<string, string> = (id, signal) => (signals.push(signal), slow(id, signal));
      const source = cold('-b-a----', { a: a5, b: b1 });
      expectObservable(source.pipe(lookup(fetch, byValue)), '-----!').toBe('--B---', out);
      flush();
      expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
    });
  });
});

describe('the cache of lookup', () => {
  const cached = (fetch: LookupFetch<string, string>, options: Partial<LookupOptions<string, string, 'placed', string>>) =>
    lookup(fetch, { ...byValue, cache: { ttl: 5, max: 10 }, ...options });

  function counting(): { readonly asked: string[]; readonly fetch: LookupFetch<string, string> } {
    const asked: string[] = [];
    return { asked, fetch: (id, signal) => (asked.push(id), slow(id, signal)) };
  }

  it('answers at once what was asked no longer than the ttl ago', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const { asked, fetch } = counting();
      const source = cold('b----b-b---|', { b: b1 });
      expectObservable(source.pipe(cached(fetch, {}))).toBe('-B---B--B--|', out);
      flush();
      expect(asked).toEqual(['b1', 'b1']);
    });
  });

  it('asks once for an id that is being asked for', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const { asked, fetch } = counting();
      expectObservable(cold('-aa-------|', { a: a5 }).pipe(cached(fetch, {}))).toBe('------(AA)|', { A: record('a', ['a5', 'a5!'], 1) });
      flush();
      expect(asked).toEqual(['a5']);
    });
  });

  it('lets the answer that was used longest ago go when there are more than `max`', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const { asked, fetch } = counting();
      const source = cold('-b-c-b-|', { b: b1, c: c1 });
      expectObservable(source.pipe(cached(fetch, { cache: { ttl: Infinity, max: 1 } }))).toBe('--B-C-B|', out);
      flush();
      expect(asked).toEqual(['b1', 'c1', 'b1']);
    });
  });

  it('keeps an answer that is undefined, and no failure', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const asked: string[] = [];
      const fetch = (id: string): Promise<undefined> => promiseOf(timer(1), () => void asked.push(id));
      const source = cold('-b--b-|', { b: b1 });
      expectObservable(source.pipe(lookup(fetch, { ...byValue, cache: { ttl: 100, max: 1 } }))).toBe('--B-B-|', {
        B: record('b', ['b1', undefined], 2),
      });
      flush();
      expect(asked).toEqual(['b1']);
    });
  });

  it('refuses an id that can be found by nobody', () => {
    marbles(({ cold, expectObservable }) => {
      const error = errorWith({ code: 'PROCESSING', message: 'is equal to no other, so that its answer could not be found again' });
      const operator = lookup((id: { of: string }) => slow(id.of, new AbortController().signal), {
        id: (value: string) => ({ of: value }),
        cache: { ttl: 1, max: 1 },
      });
      expectObservable(cold('-a', { a: a5 }).pipe(operator)).toBe('-#', {}, error);
    });
  });
});

describe('lookup refuses', () => {
  it.each([
    ['no id', 'id', { id: undefined as never }],
    ['a concurrency of 0', 'concurrency', { ...byValue, concurrency: 0 }],
    ['half a record', 'concurrency', { ...byValue, concurrency: 1.5 }],
    ['no time at all', 'timeout', { ...byValue, timeout: 0 }],
    ['a timeout that no timer takes', 'timeout', { ...byValue, timeout: Infinity }],
    ['a ttl of 0', 'cache.ttl', { ...byValue, cache: { ttl: 0, max: 1 } }],
    ['a cache without bounds', 'cache.max', { ...byValue, cache: { ttl: 1, max: Infinity } }],
  ])('%s', (_, option, options) => {
    expect(() => lookup(slow, options)).toThrow(errorWith({ code: 'CONFIG', where: { operator: 'lookup', option } }));
  });
});
