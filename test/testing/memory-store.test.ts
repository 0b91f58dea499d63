import * as t from 'io-ts';
import { json } from '../../src/codec/json';
import { int64, string } from '../../src/codec/primitives';
import { runtime, type WindowHandle } from '../../src/state/handle';
import { keyValueStore, windowStore } from '../../src/state/definition';
import { memoryStore } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { keyValueRows, windowRows } from '../../src/testing/store-rows';

const counts = keyValueStore('counts', { key: string, value: int64 });
const windowed = windowStore('windowed', { key: string, value: int64, windows: { size: 10 } });
const lists = keyValueStore('lists', { key: string, value: json(t.array(t.number)) });

describe('memoryStore', () => {
  it('gives a key-value handle that reads, writes, deletes and ranges by key bytes', async () => {
    const store = memoryStore(counts);
    for (const [i, key] of ['b', 'é', 'a', 'gone'].entries()) store.put(key, i);
    store.delete('gone');
    expect([store.get('b'), store.get('gone'), store.get('never')]).toEqual([0, undefined, undefined]);
    const found: unknown[] = [];
    for await (const entry of store.range('a', 'b')) found.push(entry);
    expect(found).toEqual([
      ['a', 2],
      ['b', 0],
    ]);
  });

  it('gives a window handle that hides a window once a newer one is a retention ahead', () => {
    const store = memoryStore(windowed);
    store.put('k', { start: 0, end: 10 }, 1);
    expect(store.get('k', 0)).toBe(1);
    store.put('k', { start: 10, end: 20 }, 2);
    expect([store.get('k', 0), store.get('k', 10)]).toEqual([undefined, 2]);
  });

  it('gives stores that share nothing', () => {
    const [one, other] = [memoryStore(counts), memoryStore(counts)];
    one.put('k', 1);
    expect(other.get('k')).toBeUndefined();
  });

  it('freezes values, so that a function that changes its aggregate is found out', () => {
    const store = memoryStore(lists);
    store.put('k', [1]);
    expect(() => store.get('k')!.push(2)).toThrow(TypeError);
  });

  it('encodes what is written, so that a value the store cannot hold is found out', () => {
    expect(() => memoryStore(counts).put('k', 0.5)).toThrow(expect.objectContaining({ code: 'ENCODE' }) as Error);
  });

  it('runs what is driven at once, to its end', () => {
    const { scope } = (memoryStore(windowed) as WindowHandle<string, number>)[runtime];
    let calls = 0;
    scope.drive(() => ++calls === 3);
    expect(calls).toBe(3);
  });

  it('keeps cells and counters by name', () => {
    const store = memoryStore(windowed);
    const { scope } = (store as WindowHandle<string, number>)[runtime];
    scope.cell<number>('windowed', 'streamTime', -1).value = 7;
    expect(scope.cell<number>('windowed', 'streamTime', -1).value).toBe(7);
    expect(scope.cell('windowed', 'other', 'x').value).toBe('x');
    scope.counter('dropped-records-total', 'countWithStore', 'late').value += 2;
    scope.counter('dropped-records-total', 'countWithStore', 'null-key').value += 1;
    scope.counter('process-total', 'countWithStore').value += 5;
    expect(droppedRecords(store)).toBe(3);
  });

  it('shows its rows with timestamps', async () => {
    const store = memoryStore(counts);
    store.put('b', 1);
    store.put('a', 2);
    const rows = await keyValueRows(store);
    expect(rows.map(({ key, value }) => [key, value])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
  });

  it('shows the rows of visible windows by key, then window, and those at the bound on request', async () => {
    const store = memoryStore(windowed);
    const behind = (store as WindowHandle<string, number>)[runtime];
    behind.write('b', 10, 1, 11);
    behind.write('a', 20, 2, 21);
    behind.write('a', 10, 3, 12);
    behind.write('a', 0, 4, 1);
    const newest = { key: 'a', window: { start: 20, end: 30 }, value: 2, timestamp: 21 };
    expect(await windowRows(store, { andAtTheBound: false })).toEqual([newest]);
    expect(await windowRows(store, { andAtTheBound: true })).toEqual([
      { key: 'a', window: { start: 10, end: 20 }, value: 3, timestamp: 12 },
      newest,
      { key: 'b', window: { start: 10, end: 20 }, value: 1, timestamp: 11 },
    ]);
  });
});
