import * as fc from 'fast-check';
import { LazySort } from '../../src/state/lazy-sort';

function taken(sort: LazySort<number>, count = Infinity): number[] {
  const items: number[] = [];
  for (let item = sort.peek(); item !== undefined && items.length < count; item = sort.peek()) {
    items.push(item);
    sort.take();
  }
  return items;
}

const ascending = (a: number, b: number): number => a - b;

describe('a lazy sort', () => {
  it('gives every item once, ascending', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer(), { maxLength: 400, size: 'max' }), (items) => {
        expect(taken(new LazySort([...items], ascending))).toEqual([...items].sort(ascending));
      }),
    );
  });

  it('shows the same item until it is taken', () => {
    const sort = new LazySort([3, 1, 2], ascending);
    expect([sort.peek(), sort.peek()]).toEqual([1, 1]);
    sort.take();
    expect(sort.peek()).toBe(2);
  });

  it.each([
    ['ascending', (i: number) => i],
    ['descending', (i: number) => -i],
    ['random', (i: number) => (i * 7_919) % 100_003],
  ])('finds the first of 100,000 %s items with few comparisons', (_, item) => {
    let comparisons = 0;
    const items = Array.from({ length: 100_000 }, (_unused, i) => item(i));
    const sort = new LazySort(items, (a, b) => {
      comparisons++;
      return a - b;
    });
    taken(sort, 1);
    expect(comparisons).toBeLessThan(400_000);
  });
});
