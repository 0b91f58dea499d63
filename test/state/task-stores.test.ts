import * as t from 'io-ts';
import { json } from '../../src/codec/json';
import { int64, string } from '../../src/codec/primitives';
import { windowStoreKey } from '../../src/codec/store-key';
import type { Codec } from '../../src/model/codec';
import { keyValueStore, windowStore } from '../../src/state/definition';
import type { KeyValueRuntime, WindowRuntime } from '../../src/state/handle';
import { TestTask } from './test-task';

const balances = keyValueStore('balances', { key: string, value: int64 });
const counts = windowStore('counts', { key: string, value: int64, windows: { size: 10 }, retention: 1_000 });
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

async function started(options: ConstructorParameters<typeof TestTask>[1] = {}): Promise<TestTask> {
  const task = new TestTask([balances.shape, counts.shape], options);
  await task.start();
  return task;
}

const balance = (task: TestTask): KeyValueRuntime<string, number> => task.keyValue('balances');
const count = (task: TestTask): WindowRuntime<string, number> => task.window('counts');
/** Changelog records that the last seal gave, keys as text. */
const sealed = (task: TestTask, store: string): unknown[] =>
  (task.sealed.get(store) ?? []).map(({ key, value, timestamp }) => [
    text(key),
    value === null ? null : Number((value as Buffer)[7]),
    timestamp,
  ]);

describe('sealing', () => {
  it('gives each dirty entry once, as Kafka Streams writes it in changelogs', async () => {
    const task = await started();
    balance(task).write('a', 1, 100);
    task.stores.checkpoint();
    balance(task).write('a', 2, 101);
    count(task).write('k', 20, 3, 102);
    task.seal();
    expect(sealed(task, 'balances')).toEqual([['a', 2, 101]]);
    expect(sealed(task, 'counts')).toEqual([[text(windowStoreKey(Buffer.from('k'), 20)), 3, 102]]);
  });

  it('gives a tombstone with its time for what was removed', async () => {
    const task = await started();
    balance(task).write('a', 1, 100);
    task.commit();
    balance(task).remove('a', 205);
    task.commit();
    expect(sealed(task, 'balances')).toEqual([['a', null, 205]]);
  });

  it('treats a null value as Kafka does: it removes', async () => {
    const task = await started();
    balance(task).write('a', 1, 100);
    task.commit();
    balance(task).write('a', null as unknown as number, 205);
    expect(balance(task).find('a')).toBeUndefined();
    task.commit();
    expect(sealed(task, 'balances')).toEqual([['a', null, 205]]);
  });

  it('is silent about what was written and removed in one transaction', async () => {
    const task = await started();
    balance(task).write('a', 1, 100);
    balance(task).remove('a', 101);
    task.commit();
    expect(sealed(task, 'balances')).toEqual([]);
    expect(balance(task).find('a')).toBeUndefined();
  });

  it('gives a tombstone for what was removed while the transaction that wrote it was under way', async () => {
    const task = await started();
    balance(task).write('a', 1, 100);
    task.seal();
    balance(task).remove('a', 101);
    task.committed();
    task.commit();
    expect(sealed(task, 'balances')).toEqual([['a', null, 101]]);
  });

  it('leaves everything active when a value does not encode, and says which', async () => {
    const task = await started();
    balance(task).write('a', 1, 100);
    balance(task).write('b', 1.5, 100);
    expect(() => task.seal()).toThrow(/ENCODE: store "balances": the value of key 'b' does not encode/);
    expect(task.stores.hasSealed).toBe(false);
    task.stores.rollback();
    expect(balance(task).find('a')).toBeUndefined();
  });

  it('leaves everything active when a changelog record is refused', async () => {
    const task = await started();
    balance(task).write('a', 1, 100);
    count(task).write('k', 20, 3, 102);
    const refuse = (store: string): void => {
      if (store === 'counts') throw new Error('too large');
    };
    expect(() => task.stores.seal(refuse)).toThrow('too large');
    task.stores.abort();
    expect([balance(task).find('a'), count(task).find('k', 20)]).toEqual([undefined, undefined]);
  });

  it('twice without an answer in between is a mistake', async () => {
    const task = await started();
    task.seal();
    expect(() => task.seal()).toThrow('neither committed nor aborted');
  });

  it('refuses a key that has no bytes where it is written, not at the commit', async () => {
    const task = await started();
    expect(() => balance(task).write('\ud800', 1, 100)).toThrow(/ENCODE: store "balances": the key/);
    task.commit();
    expect(sealed(task, 'balances')).toEqual([]);
  });
});

describe('one key in two layers', () => {
  it('shows the active one; the commit makes durable the sealed one', async () => {
    const task = await started();
    balance(task).write('a', 1, 100);
    task.seal();
    balance(task).write('a', 2, 101);
    task.committed();
    await task.stores.flush();
    expect(balance(task).find('a')).toEqual({ value: 2, timestamp: 101 });
    await task.crash();
    expect(balance(task).find('a')).toEqual({ value: 1, timestamp: 100 });
  });

  it('rolls back to the sealed one, and aborts to the committed one', async () => {
    const task = await started();
    balance(task).write('a', 1, 100);
    task.commit();
    balance(task).write('a', 2, 101);
    task.seal();
    balance(task).write('a', 3, 102);
    task.stores.rollback();
    expect(balance(task).find('a')?.value).toBe(2);
    task.abort();
    expect(balance(task).find('a')?.value).toBe(1);
  });
});

describe('the disk', () => {
  it('gets several commits in one batch, together with the positions', async () => {
    const task = await started();
    const before = task.disk.writes;
    for (let i = 1; i <= 3; i++) {
      balance(task).write('a', i, i);
      count(task).write('k', 20, i, i);
      task.commit();
    }
    await task.stores.flush();
    expect(task.disk.writes - before).toBe(1);
    expect([task.stores.position('balances'), task.stores.position('counts')]).toEqual([5, 5]);
    await task.crash();
    expect(task.changelogs.map(({ reads }) => reads)).toEqual([[{ from: 5, until: 6 }], [{ from: 5, until: 6 }]]);
    expect([balance(task).find('a')?.value, count(task).find('k', 20)?.value]).toEqual([3, 3]);
  });

  it('is not touched for a key of a new window, nor for one of a store that was empty', async () => {
    const task = await started();
    task.disk.gets = 0;
    for (let i = 0; i < 50; i++) {
      expect(count(task).find(`k${i}`, 20)).toBeUndefined();
      count(task).write(`k${i}`, 20, 1, 1);
      expect(balance(task).find(`k${i}`)).toBeUndefined();
      balance(task).write(`k${i}`, 1, 1);
      if (i % 10 === 0) {
        task.commit();
        await task.stores.flush();
      }
    }
    expect(task.disk.gets).toBe(0);
  });

  it('never hears of what was written, committed and removed between two flushes', async () => {
    const task = await started();
    count(task).write('k', 20, 1, 1);
    task.commit();
    count(task).remove('k', 20, 2);
    task.commit();
    await task.stores.flush();
    expect(await task.disk.contents.read({ from: Uint8Array.of(1), to: Uint8Array.of(2) }, 10)).toEqual([]);
  });

  it('is read once for a key that memory has let go of, however often that is asked for', async () => {
    const task = await started();
    balance(task).write('a', 1, 1);
    task.commit();
    await task.stores.flush();
    await task.crash();
    task.disk.gets = 0;
    for (let i = 0; i < 5; i++) expect([balance(task).find('a')?.value, balance(task).find('other')]).toEqual([1, undefined]);
    expect(task.disk.gets).toBe(2);
  });

  it('that refuses a batch is asked again, and nothing is forgotten', async () => {
    const task = await started();
    balance(task).write('a', 1, 1);
    task.commit();
    task.disk.failing = 2;
    const { writes } = task.disk;
    const flush = task.stores.flush();
    await task.clock.settle();
    expect(task.disk.writes - writes).toBe(1);
    balance(task).write('b', 2, 2);
    task.commit();
    await task.clock.advance(1_000);
    await flush;
    await task.crash();
    expect(task.changelogs[0]!.reads).toEqual([{ from: 3, until: 4 }]);
    expect([balance(task).find('a')?.value, balance(task).find('b')?.value]).toEqual([1, 2]);
    expect(task.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
  });

  it('that goes on refusing is a named error that may be retried, and the next flush writes everything', async () => {
    const task = await started();
    balance(task).write('a', 1, 1);
    task.commit();
    task.disk.failing = 5;
    const flush = task.stores.flush().catch((error: unknown) => error);
    await task.clock.advance(10_000);
    expect(await flush).toMatchObject({ code: 'STATE_IO', retryable: true });
    balance(task).write('a', 2, 2);
    task.commit();
    expect(task.stores.unflushedBytes).toBeGreaterThan(0);
    await task.stores.flush();
    expect(task.stores.unflushedBytes).toBe(0);
    await task.crash();
    expect(balance(task).find('a')?.value).toBe(2);
  });

  it('holds the newer value when a key is committed anew while its flush fails', async () => {
    const task = await started();
    balance(task).write('a', 1, 1);
    task.commit();
    task.disk.holding = true;
    const flush = task.stores.flush();
    await task.clock.settle();
    balance(task).write('a', 2, 2);
    task.commit();
    task.disk.holding = false;
    task.disk.refuse();
    await task.clock.advance(1_000);
    await flush;
    await task.crash();
    expect(balance(task).find('a')).toEqual({ value: 2, timestamp: 2 });
  });

  it('is written by one flush after the other', async () => {
    const task = await started();
    balance(task).write('a', 1, 1);
    task.commit();
    task.disk.holding = true;
    const first = task.stores.flush();
    await task.clock.settle();
    balance(task).write('a', 2, 2);
    task.commit();
    const second = task.stores.flush();
    await task.clock.settle();
    expect(task.disk.heldWrites).toBe(1);
    await task.disk.release();
    await Promise.all([first, second]);
    await task.crash();
    expect(balance(task).find('a')?.value).toBe(2);
  });

  it('takes flushes of many thousand entries in slices', async () => {
    const task = await started();
    for (let i = 0; i < 10_000; i++) count(task).write(`k${i}`, 20, i, 1);
    task.commit();
    const flush = task.stores.flush();
    await task.clock.settle();
    await flush;
    expect(await task.disk.contents.read({ from: Uint8Array.of(1), to: Uint8Array.of(2) }, 20_000)).toHaveLength(10_000);
  });

  it('says what the changelog says, also of an object that was changed in place since', async () => {
    const carts = keyValueStore('carts', { key: string, value: json(t.array(t.string)) });
    const task = new TestTask([carts.shape]);
    await task.start();
    const cart = task.keyValue<string, string[]>('carts');
    const items = ['apple'];
    cart.write('a', items, 1);
    task.commit();
    items.push('never committed');
    await task.stores.flush();
    await task.crash();
    expect(task.keyValue('carts').find('a')?.value).toEqual(['apple']);
  });

  it('never hears of what was gone again before the flush, and memory lets go of it at once', async () => {
    const task = await started();
    count(task).write('k', 20, 1, 1);
    task.commit();
    count(task).remove('k', 20, 2);
    task.commit();
    const { entries } = task.stores.restorable('counts');
    expect([...(entries as unknown as { segments(): Iterable<unknown> }).segments()]).toEqual([]);
    await task.stores.flush();
    expect(await task.disk.contents.read({ from: Uint8Array.of(1), to: Uint8Array.of(2) }, 10)).toEqual([]);
    await task.crash();
    expect(count(task).find('k', 20)).toBeUndefined();
  });

  it('keeps what came back behind a tombstone that never had to be written', async () => {
    const task = await started();
    count(task).write('k', 20, 1, 1);
    task.commit();
    count(task).remove('k', 20, 2);
    task.seal();
    count(task).write('k', 20, 5, 3);
    task.committed();
    expect(count(task).find('k', 20)?.value).toBe(5);
    task.commit();
    await task.stores.flush();
    await task.crash();
    expect(count(task).find('k', 20)?.value).toBe(5);
  });

  it('closes only after a flush under way', async () => {
    const task = await started();
    balance(task).write('a', 1, 1);
    task.commit();
    task.disk.holding = true;
    const flush = task.stores.flush();
    let isClosed = false;
    const closing = task.stores.close().then(() => (isClosed = true));
    await task.clock.settle();
    expect(isClosed).toBe(false);
    await task.disk.release();
    await Promise.all([flush, closing]);
    expect(isClosed).toBe(true);
  });
});

describe('a flush is due', () => {
  it('after the interval, once something is committed', async () => {
    const task = await started({ flushIntervalMs: 2_000 });
    await task.clock.advance(5_000);
    expect(task.stores.flushDue()).toBe(false);
    balance(task).write('a', 1, 1);
    task.seal();
    expect(task.stores.flushDue()).toBe(false);
    task.committed();
    expect(task.stores.flushDue()).toBe(false);
    await task.clock.advance(2_000);
    expect(task.stores.flushDue()).toBe(true);
    await task.stores.flush();
    expect(task.stores.flushDue()).toBe(false);
  });

  it('at once when enough bytes wait', async () => {
    const task = await started({ flushBytes: 10_000 });
    for (let i = 0; i < 20; i++) balance(task).write(`a${i}`, 1, 1);
    task.commit();
    expect(task.stores.flushDue()).toBe(false);
    for (let i = 0; i < 20; i++) balance(task).write(`b${i}`, 1, 1);
    task.commit();
    expect(task.stores.flushDue()).toBe(true);
  });

  it('not while one is under way, nor right after one that failed', async () => {
    const task = await started({ flushBytes: 1 });
    balance(task).write('a', 1, 1);
    task.commit();
    task.disk.failing = 5;
    const flush = task.stores.flush().catch(() => undefined);
    expect(task.stores.flushDue()).toBe(false);
    await task.clock.advance(1_500);
    await flush;
    expect(task.stores.flushDue()).toBe(false);
    await task.clock.advance(5_000);
    expect(task.stores.flushDue()).toBe(true);
  });
});

describe('memory', () => {
  it('stays within the cache’s bytes once entries are on disk', async () => {
    const task = await started({ cacheBytes: 50_000 });
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 200; i++) count(task).write(`k${i}`, round * 10, i, 1);
      task.commit();
      await task.stores.flush();
    }
    expect(task.stores.cachedBytes).toBeLessThanOrEqual(50_000);
    task.disk.gets = 0;
    let found = 0;
    for (let i = 0; i < 200; i++) if (count(task).find(`k${i}`, 0)?.value === i) found++;
    expect(found).toBe(200);
    expect(task.disk.gets).toBeGreaterThan(100);
  });

  it.each([
    ['after they were on disk', true],
    ['before they ever were', false],
  ])('lets go of windows that are gone, %s', async (_, flushed) => {
    const task = await started();
    for (let start = 0; start < 1_000; start += 10) count(task).write('k', start, 1, 1);
    task.commit();
    if (flushed) await task.stores.flush();
    for (let start = 0; start < 1_000; start += 10) count(task).remove('k', start, 2);
    expect(count(task).nextStart(0)).toBe(Infinity);
    task.commit();
    await task.stores.flush();
    const { entries } = task.stores.restorable('counts');
    expect([...(entries as unknown as { segments(): Iterable<unknown> }).segments()]).toEqual([]);
    expect(task.stores.cachedBytes).toBe(0);
  });

  it('is counted while work is private', async () => {
    const task = await started();
    expect(task.stores.activeBytes).toBe(0);
    balance(task).write('a', 1, 1);
    const one = task.stores.activeBytes;
    expect(one).toBeGreaterThan(0);
    task.stores.checkpoint();
    balance(task).write('b', 1, 1);
    expect(task.stores.activeBytes).toBeGreaterThan(one);
    task.stores.rollback();
    expect(task.stores.activeBytes).toBe(one);
    task.seal();
    expect(task.stores.activeBytes).toBe(0);
  });
});

describe('stores', () => {
  it('are given by name, the same handle each time', async () => {
    const task = await started();
    expect(task.stores.handle('balances')).toBe(task.stores.handle('balances'));
    expect(() => task.stores.handle('other')).toThrow(/CONFIG: there is no store "other"/);
  });

  it('must have names of their own', async () => {
    const task = new TestTask([balances.shape, { ...balances.shape, kind: 'window' }]);
    await expect(task.open()).rejects.toMatchObject({ code: 'CONFIG' });
  });

  it('are taken by one operator at a time', async () => {
    const task = await started();
    const [mine, yours] = [{}, {}];
    const release = balance(task).claim(mine, 'countWithStore');
    expect(() => balance(task).claim(yours, 'mapWithStore')).toThrow(/STORE_IN_USE.*countWithStore and mapWithStore/);
    expect(() => balance(task).claim(mine, 'countWithStore')).toThrow(/STORE_IN_USE.*put share\(\) behind it/);
    release();
    const releaseYours = balance(task).claim(yours, 'mapWithStore');
    release();
    expect(() => balance(task).claim(mine, 'countWithStore')).toThrow(/STORE_IN_USE/);
    releaseYours();
    expect(() => balance(task).claim(mine, 'countWithStore')).not.toThrow();
  });

  it('S6 freeze what they are given and what they give, in development', async () => {
    const list: Codec<number[]> = {
      encode: (value) => JSON.stringify(value),
      decode: (bytes) => ({ _tag: 'Right', right: JSON.parse(text(bytes)) as number[] }),
    };
    const task = new TestTask([keyValueStore('lists', { key: string, value: list }).shape], { freeze: true });
    await task.start();
    const lists = task.keyValue<string, number[]>('lists');
    const mine = [1];
    lists.write('a', mine, 1);
    expect(() => mine.push(2)).toThrow(TypeError);
    task.commit();
    await task.stores.flush();
    await task.crash();
    const found = task.keyValue<string, number[]>('lists').find('a')!.value;
    expect(() => found.push(2)).toThrow(TypeError);
    expect(found).toEqual([1]);
  });

  it('say at the write, in development, that a value does not encode', async () => {
    const task = await started({ freeze: true });
    expect(() => balance(task).write('a', 1.5, 1)).toThrow(/ENCODE: store "balances"/);
  });

  it('say which of them holds bytes that its codec no longer reads', async () => {
    const task = await started();
    balance(task).write('a', 1, 1);
    task.commit();
    await task.stores.flush();
    const renewed = keyValueStore('balances', {
      key: string,
      value: { encode: int64.encode, decode: () => ({ _tag: 'Left', left: new Error('no number') }) },
    });
    const later = new TestTask([renewed.shape]);
    Object.assign(later, { disk: task.disk, changelogs: task.changelogs.slice(0, 1) });
    await later.start();
    expect(() => later.keyValue('balances').find('a')).toThrow(/DECODE: store "balances".*no number/);
  });
});
