import { CellTable, worstCaseSize } from '../../src/state/cells';
import { encodeCells } from '../../src/state/cells-format';

const committed = (table: CellTable): string => {
  const metadata = table.seal();
  table.commit();
  return metadata;
};

describe('cells', () => {
  it('are one object for a store and name, at the initial value at first', () => {
    const table = new CellTable(['s']);
    const cell = table.cell<number>('s', 'streamTime', -1);
    expect(cell.value).toBe(-1);
    cell.value = 7;
    expect(table.cell<number>('s', 'streamTime', -1)).toBe(cell);
  });

  it('roll back to the last checkpoint, and to nothing before it', () => {
    const table = new CellTable(['s']);
    const cell = table.cell<number>('s', 'streamTime', -1);
    cell.value = 1;
    table.checkpoint();
    cell.value = 2;
    table.rollback();
    expect(cell.value).toBe(1);
    table.rollback();
    expect(cell.value).toBe(1);
  });

  it('roll back to the seal when there was no checkpoint since', () => {
    const table = new CellTable(['s']);
    const cell = table.cell<number>('s', 'streamTime', -1);
    cell.value = 1;
    table.seal();
    cell.value = 2;
    table.rollback();
    expect(cell.value).toBe(1);
  });

  it('abort to what is committed, not to what was sealed', () => {
    const table = new CellTable(['s']);
    const cell = table.cell<number>('s', 'streamTime', -1);
    cell.value = 1;
    committed(table);
    cell.value = 2;
    table.seal();
    cell.value = 3;
    table.abort();
    expect(cell.value).toBe(1);
    table.rollback();
    expect(cell.value).toBe(1);
  });

  it('commit what was sealed, not what was written since', () => {
    const table = new CellTable(['s']);
    const cell = table.cell<number>('s', 'streamTime', -1);
    cell.value = 1;
    table.seal();
    cell.value = 2;
    table.commit();
    expect(cell.value).toBe(2);
    table.abort();
    expect(cell.value).toBe(1);
  });

  it('abort to the initial value when nothing was ever committed', () => {
    const table = new CellTable(['s']);
    const cell = table.cell<number>('s', 'streamTime', -1);
    cell.value = 5;
    table.seal();
    table.abort();
    expect(cell.value).toBe(-1);
  });

  it('come back with their values in another process, asked for before or after restoring', () => {
    const before = new CellTable(['a', 'b']);
    before.cell<number>('a', 'streamTime', -1).value = 1_700_000_000_123;
    before.cell<number>('a', 'greatest', -Infinity).value = -Infinity;
    before.cell<string>('b', 'next', '').value = 'k\u00e9y \u{1f600}';
    const metadata = committed(before);
    const after = new CellTable(['a', 'b']);
    const early = after.cell<number>('a', 'streamTime', -1);
    after.restore(metadata);
    expect(early.value).toBe(1_700_000_000_123);
    expect(after.cell<number>('a', 'greatest', 0).value).toBe(-Infinity);
    expect(after.cell<string>('b', 'next', '').value).toBe('k\u00e9y \u{1f600}');
  });

  it('go back to their initial values when a group starts anew', () => {
    const table = new CellTable(['s']);
    const cell = table.cell<number>('s', 'streamTime', -1);
    cell.value = 9;
    table.restore('');
    expect(cell.value).toBe(-1);
  });

  it('of a store that the topology no longer has are carried along', () => {
    const old = new CellTable(['kept', 'removed']);
    old.cell<number>('kept', 'time', 0).value = 1;
    old.cell<number>('removed', 'time', 0).value = 2;
    const middle = new CellTable(['kept']);
    middle.restore(committed(old));
    middle.cell<number>('kept', 'time', 0).value = 3;
    const again = new CellTable(['kept']);
    again.restore(committed(middle));
    again.cell<number>('kept', 'time', 0);
    const back = new CellTable(['kept', 'removed']);
    back.restore(committed(again));
    expect(back.cell<number>('removed', 'time', 0).value).toBe(2);
    expect(back.cell<number>('kept', 'time', 0).value).toBe(3);
  });

  it('of a removed store go when the set of stores changes once more', () => {
    const old = new CellTable(['a', 'removed']);
    old.cell<number>('removed', 'time', 0).value = 2;
    const middle = new CellTable(['a']);
    middle.restore(committed(old));
    const later = new CellTable(['a', 'b']);
    later.restore(committed(middle));
    const back = new CellTable(['a', 'removed']);
    back.restore(committed(later));
    expect(back.cell<number>('removed', 'time', 0).value).toBe(0);
  });

  it('that no operator asks for any more stay as they were', () => {
    const old = new CellTable(['s']);
    old.cell<number>('s', 'lastClose', 0).value = 5;
    const middle = new CellTable(['s']);
    middle.restore(committed(old));
    middle.cell<number>('s', 'streamTime', 0).value = 6;
    const back = new CellTable(['s']);
    back.restore(committed(middle));
    expect([back.cell<number>('s', 'lastClose', 0).value, back.cell<number>('s', 'streamTime', 0).value]).toEqual([5, 6]);
  });

  it('that do not fit into the metadata of an offset are an error that names the largest stores, and seals nothing', () => {
    const table = new CellTable(['small', 'large']);
    table.cell<number>('small', 'time', 0).value = 1;
    const large = table.cell<string>('large', 'next', '');
    large.value = 'x'.repeat(3_100);
    expect(() => table.seal()).toThrow(/CELLS_TOO_LARGE.*"large"/);
    large.value = 'x'.repeat(3_000);
    expect(table.seal().length).toBeLessThanOrEqual(4_096);
  });

  it.each([
    ['text that is none of ours', 'hello'],
    ['a later format', Buffer.from([2, 0]).toString('base64')],
    ['metadata that is cut off', encodeCells([{ store: 'store', carried: 0, cells: new Map([['a', 1]]) }]).slice(0, 8)],
  ])('refuse %s', (_, metadata) => {
    expect(() => new CellTable(['s']).restore(metadata)).toThrow(/PROTOCOL/);
  });
});

describe('the worst case of a plan’s cells', () => {
  const numbers = (count: number, name = 'store'): { store: string; name: string; text: boolean }[] =>
    Array.from({ length: count }, (_, i) => ({ store: `${name}-${i}`, name: 'streamTime', text: false }));

  it('is never below what is sealed', () => {
    const planned = [...numbers(20), { store: 'store-1', name: 'next', text: true }];
    const table = new CellTable([]);
    for (const { store, name, text } of planned) table.cell<number | string>(store, name, text ? 'k'.repeat(256) : -(2 ** 53 - 1));
    expect(table.seal().length).toBeLessThanOrEqual(worstCaseSize(planned));
  });

  it('beyond the limit is an error before anything starts', () => {
    expect(() => worstCaseSize(numbers(200, 'a-store-with-a-long-name'))).toThrow(/CELLS_TOO_LARGE/);
    expect(worstCaseSize(numbers(50))).toBeLessThan(4_096);
  });
});
