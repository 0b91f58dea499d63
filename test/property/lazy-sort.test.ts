import * as fc from 'fast-check';
import { compareIdentity, identityOf } from '../../src/codec/identity';
import { bytes, string } from '../../src/codec/primitives';
import { LazySort } from '../../src/state/lazy-sort';

interface Item {
  readonly identity: string;
}

const compareTexts = compareIdentity(string);

const items = (identities: readonly string[]): Item[] => identities.map((identity) => ({ identity }));

function taken(sort: LazySort<Item>, count = Infinity): string[] {
  const found: string[] = [];
  for (let item = sort.peek(); item !== undefined && found.length < count; item = sort.peek()) {
    found.push(item.identity);
    sort.take();
  }
  return found;
}

/** What the order of identities must be that of, without anything of ours. */
const byBytes =
  (encoding: 'utf8' | 'latin1') =>
  (a: string, b: string): number =>
    Buffer.compare(Buffer.from(a, encoding), Buffer.from(b, encoding));

/** Many with a common beginning, some that end in it, and units on both sides of every border: bytes, surrogates. */
const characters = fc.constantFrom(
  'a',
  'b',
  '0',
  '\u0000',
  '\u007f',
  '\u00ff',
  '\u0100',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '\u{10ffff}',
);
const text = fc
  .tuple(fc.constantFrom('', 'user-', 'user-\u00e9', '\u{1f600}'), fc.string({ unit: characters, maxLength: 9 }))
  .map((parts) => parts.join(''));

describe('a lazy sort', () => {
  it('gives every text once, in the order of its UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.uniqueArray(text, { maxLength: 300, size: 'max' }), (texts) => {
        expect(taken(new LazySort(items(texts), compareTexts))).toEqual([...texts].sort(byBytes('utf8')));
      }),
    );
  });

  it('gives every other key once, in the order of its bytes', () => {
    const key = fc.uint8Array({ maxLength: 12 }).map(identityOf(bytes));
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 300, size: 'max' }), (keys) => {
        expect(taken(new LazySort(items(keys), compareIdentity(bytes)))).toEqual([...keys].sort(byBytes('latin1')));
      }),
    );
  });

  it('tells apart what differs only far behind the common beginning', () => {
    const texts = Array.from(
      { length: 200 },
      (_, i) => `${i % 2 === 0 ? 'even' : 'odd'}/of/the/same/length/${String((i * 7_919) % 10_007)}`,
    );
    expect(taken(new LazySort(items(texts), compareTexts))).toEqual([...texts].sort(byBytes('utf8')));
  });

  it('shows the same item until it is taken', () => {
    const sort = new LazySort(items(['c', 'a', 'b']), compareTexts);
    expect([sort.peek(), sort.peek()]).toEqual([{ identity: 'a' }, { identity: 'a' }]);
    sort.take();
    expect(sort.peek()).toEqual({ identity: 'b' });
  });

  it.each([
    ['ascending', (i: number) => i],
    ['descending', (i: number) => 99_999 - i],
    ['random', (i: number) => (i * 7_919) % 100_003],
  ])('finds the first of 100,000 %s items with few comparisons', (_, number) => {
    let comparisons = 0;
    // The same six bytes first, so that each comparison is one of texts.
    const texts = Array.from({ length: 100_000 }, (_unused, i) => `${i === 0 ? 'b' : 'a'}.same.${String(number(i)).padStart(6, '0')}`);
    const sort = new LazySort(items(texts), (a, b) => {
      comparisons++;
      return compareTexts(a, b);
    });
    expect(taken(sort, 1)).toEqual([[...texts].sort()[0]]);
    expect(comparisons).toBeGreaterThan(90_000);
    expect(comparisons).toBeLessThan(400_000);
  });
});
