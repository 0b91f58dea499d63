/** What is true of windows that overlap beyond what is true of any: a key's values in neighbouring windows are one entry in memory. */
import * as t from 'io-ts';
import { json } from '../../src/codec/json';
import { int64, string } from '../../src/codec/primitives';
import { windowStoreKey } from '../../src/codec/store-key';
import { windowStore } from '../../src/state/definition';
import type { WindowRuntime } from '../../src/state/handle';
import { TestTask } from './test-task';

const windows = { size: 40, advance: 10 };
const counts = windowStore('counts', { key: string, value: int64, windows, retention: 1_000 });
const carts = windowStore('carts', { key: string, value: json(t.array(t.string)), windows, retention: 1_000 });

async function started(options: ConstructorParameters<typeof TestTask>[1] = {}): Promise<TestTask> {
  const task = new TestTask([counts.shape, carts.shape], options);
  await task.start();
  return task;
}

const count = (task: TestTask): WindowRuntime<string, number> => task.window('counts');
const cart = (task: TestTask): WindowRuntime<string, readonly string[]> => task.window('carts');
const valuesOf = (task: TestTask, key: string, starts: readonly number[]): unknown[] =>
  starts.map((start) => count(task).read(key, start)?.value);
const sealedStarts = (task: TestTask): unknown[] =>
  task.sealed.get('counts')?.map(({ key, value }) => [Buffer.from(key).readBigInt64BE(key.length - 12), value === null]) ?? [];

describe('windows that overlap', () => {
  it('give a changelog record for each window that was written, as Kafka Streams writes it', async () => {
    const task = await started();
    for (const start of [10, 20, 30, 40]) count(task).write('é', start, start, 47);
    task.commit();
    count(task).write('é', 30, 31, 55);
    count(task).write('é', 40, 41, 55);
    task.commit();
    expect(task.sealed.get('counts')).toEqual(
      [30, 40].map((start) => ({
        key: windowStoreKey(Buffer.from('é'), start),
        value: new Uint8Array(int64.encode(start + 1) as Uint8Array),
        timestamp: 55,
      })),
    );
  });

  it('are silent of the one that was written and removed in one transaction, and speak of the others', async () => {
    const task = await started();
    for (const start of [10, 20]) count(task).write('a', start, 1, 1);
    count(task).remove('a', 20, 2);
    task.commit();
    expect(sealedStarts(task)).toEqual([[10n, false]]);
  });

  it('keep apart what a transaction under way and the one after it have written', async () => {
    const task = await started();
    for (const start of [0, 10, 20]) count(task).write('a', start, 1, 1);
    task.seal();
    count(task).write('a', 10, 2, 2);
    count(task).remove('a', 20, 2);
    task.committed();
    expect(valuesOf(task, 'a', [0, 10, 20, 30])).toEqual([1, 2, undefined, undefined]);
    task.seal();
    expect(sealedStarts(task)).toEqual([
      [10n, false],
      [20n, true],
    ]);
    task.abort();
    expect(valuesOf(task, 'a', [0, 10, 20, 30])).toEqual([1, 1, 1, undefined]);
  });

  it('keep what a flush under way carries in memory, though another window of the key is gone again meanwhile', async () => {
    const task = await started({ cacheBytes: 1 });
    count(task).write('a', 0, 1, 1);
    task.commit();
    task.disk.holding = true;
    const flush = task.stores.flush();
    await task.clock.settle();
    count(task).write('a', 10, 2, 2);
    task.commit();
    count(task).remove('a', 10, 3);
    task.commit();
    for (let look = 0; look < 3; look++) task.stores.restorable('counts').entries.evict(10);
    expect(valuesOf(task, 'a', [0, 10])).toEqual([1, undefined]);
    await task.disk.release();
    await flush;
    await task.crash();
    expect(valuesOf(task, 'a', [0, 10])).toEqual([1, undefined]);
  });

  it('are written by a flush as they were when it began, whatever is committed before it has come to them', async () => {
    const task = await started();
    const all = Array.from({ length: 5_000 }, (_, number) => `k${String(number).padStart(4, '0')}`);
    for (const value of [1, 2]) {
      for (const key of all) count(task).write(key, 0, value, 1);
      task.commit();
    }
    const flush = task.stores.flush();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    for (const value of [3, 4, 5]) {
      count(task).write(all.at(-1)!, 0, value, 1);
      task.commit();
    }
    await task.clock.settle();
    await flush;
    const rows = await task.disk.contents.read({ from: Uint8Array.of(1), to: Uint8Array.of(2) }, 10_000);
    expect(rows.map(([, value]) => value.at(-1))).toEqual(all.map(() => 2));
  });

  it('have no tombstone for what never was on disk, and have one for what is on its way there', async () => {
    const task = await started();
    for (const start of [0, 10]) count(task).write('a', start, 1, 1);
    task.commit();
    task.disk.holding = true;
    const flush = task.stores.flush();
    await task.clock.settle();
    count(task).write('a', 10, 2, 2);
    task.commit();
    for (const start of [10, 20]) count(task).write('a', start, 3, 3);
    for (const start of [10, 20]) count(task).remove('a', start, 3);
    task.commit();
    await task.disk.release();
    await flush;
    const before = task.disk.contents;
    await task.stores.flush();
    const rows = await before.read({ from: Uint8Array.of(1), to: Uint8Array.of(2) }, 10);
    expect(rows).toHaveLength(1);
    await task.crash();
    expect(valuesOf(task, 'a', [0, 10, 20])).toEqual([1, undefined, undefined]);
  });

  it('come back to the disk’s list when a flush fails, together with what was committed meanwhile', async () => {
    const task = await started();
    for (const start of [0, 10]) count(task).write('a', start, 1, 1);
    task.commit();
    task.disk.failing = 1;
    const flush = task.stores.flush();
    await task.clock.settle();
    for (const start of [10, 20]) count(task).write('a', start, 2, 2);
    task.commit();
    await task.clock.advance(1_000);
    await flush;
    await task.crash();
    expect(valuesOf(task, 'a', [0, 10, 20])).toEqual([1, 2, 2]);
    expect(task.stores.unflushedBytes).toBe(0);
  });

  it('say on disk what the changelog says, also of an object that was changed in place since', async () => {
    const task = await started();
    const items = ['apple'];
    cart(task).write('a', 10, items, 1);
    task.commit();
    items.push('never committed');
    cart(task).write('a', 20, ['pear'], 2);
    task.commit();
    await task.stores.flush();
    await task.crash();
    expect([10, 20].map((start) => cart(task).read('a', start)?.value)).toEqual([['apple'], ['pear']]);
  });

  it('read from the disk only the one that is asked for, once', async () => {
    const task = await started();
    for (const start of [0, 10, 20]) for (const key of ['a', 'b']) count(task).write(key, start, start + 1, 1);
    task.commit();
    await task.stores.flush();
    await task.crash();
    task.disk.gets = 0;
    count(task).write('a', 10, 7, 2);
    for (let again = 0; again < 2; again++) expect(valuesOf(task, 'a', [0, 10])).toEqual([1, 7]);
    expect(task.disk.gets).toBe(1);
    task.stores.rollback();
    expect(valuesOf(task, 'a', [0, 10, 20])).toEqual([1, 11, 21]);
    expect(valuesOf(task, 'c', [0, 0])).toEqual([undefined, undefined]);
    expect(task.disk.gets).toBe(5);
  });

  it('may begin where none should: whoever writes a store of theirs is not asked', async () => {
    const task = await started();
    for (const start of [7, 10, 12]) count(task).write('a', start, start, 1);
    task.commit();
    expect(count(task).nextStart(8)).toBe(10);
    await task.stores.flush();
    await task.crash();
    expect([valuesOf(task, 'a', [0, 7, 10, 12]), count(task).nextStart(11)]).toEqual([[undefined, 7, 10, 12], 12]);
  });

  it('leave no memory behind, with what is counted for it', async () => {
    const task = await started();
    for (let start = 0; start < 200; start += 10) for (const key of ['a', 'b']) count(task).write(key, start, 1, 1);
    task.commit();
    expect(task.stores.cachedBytes).toBeGreaterThan(10 * 280);
    await task.stores.flush();
    for (let start = 0; start < 200; start += 10) for (const key of ['a', 'b']) count(task).remove(key, start, 2);
    task.commit();
    await task.stores.flush();
    expect([task.stores.cachedBytes, task.stores.unflushedBytes, task.stores.isEmpty]).toEqual([0, 0, true]);
    const { entries } = task.stores.restorable('counts');
    expect([...(entries as unknown as { segments(): Iterable<unknown> }).segments()]).toEqual([]);
  });
});
