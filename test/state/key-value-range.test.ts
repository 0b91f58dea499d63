import { int64, string } from '../../src/codec/primitives';
import type { KeyValueStore } from '../../src/model/store-definition';
import { keyValueStore } from '../../src/state/definition';
import { TestTask } from './test-task';

const definition = keyValueStore('balances', { key: string, value: int64 });

async function started(): Promise<TestTask> {
  const task = new TestTask([definition.shape]);
  await task.start();
  return task;
}

const balances = (task: TestTask): KeyValueStore<string, number> =>
  task.stores.handle('balances') as unknown as KeyValueStore<string, number>;

async function rows(range: AsyncIterable<[string, number]>): Promise<[string, number][]> {
  const found: [string, number][] = [];
  for await (const row of range) found.push(row);
  return found;
}

describe('a range of a key-value store', () => {
  it('has both ends in, in the order of key bytes; an absent bound is open', async () => {
    const task = await started();
    for (const [i, key] of ['d', 'b', 'a', 'c'].entries()) balances(task).put(key, i);
    const keys = async (from?: string, to?: string): Promise<string> =>
      (await rows(balances(task).range(from, to))).map(([key]) => key).join('');
    const expected = ['abcd', 'bc', 'cd', 'ab', ''];
    const all = async (): Promise<string[]> => [
      await keys(),
      await keys('b', 'c'),
      await keys('bb'),
      await keys(undefined, 'b'),
      await keys('x'),
    ];
    expect(await all()).toEqual(expected);
    task.commit();
    await task.stores.flush();
    await task.crash();
    expect(await all()).toEqual(expected);
  });

  it('is empty, with a warning, when its bounds are the wrong way round', async () => {
    const task = await started();
    balances(task).put('b', 1);
    expect(await rows(balances(task).range('c', 'a'))).toEqual([]);
    expect(task.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('sees the moment its walk begins', async () => {
    const task = await started();
    for (const key of ['a', 'b', 'c']) balances(task).put(key, 1);
    task.commit();
    await task.stores.flush();
    await task.crash();
    balances(task).put('b', 2);
    const range = balances(task).range();
    balances(task).put('d', 4);
    const walk = range[Symbol.asyncIterator]();
    expect((await walk.next()).value).toEqual(['a', 1]);
    balances(task).delete('b');
    balances(task).put('c', 3);
    task.commit();
    await task.stores.flush();
    expect([(await walk.next()).value, (await walk.next()).value, (await walk.next()).value]).toEqual([
      ['b', 2],
      ['c', 1],
      ['d', 4],
    ]);
    expect(await walk.next()).toEqual({ done: true, value: undefined });
  });

  it('S12 lets go of the disk when a loop over it is left', async () => {
    const task = await started();
    for (let i = 0; i < 10; i++) balances(task).put(`k${i}`, i);
    task.commit();
    await task.stores.flush();
    await task.crash();
    for await (const [key] of balances(task).range()) if (key === 'k3') break;
    await task.clock.settle();
    expect(task.disk.openSnapshots).toBe(0);
  });

  it('S12 abandoned in the middle is ended when the task closes', async () => {
    const task = await started();
    balances(task).put('a', 1);
    task.commit();
    await task.stores.flush();
    await task.crash();
    for (let i = 0; i < 100; i++) await balances(task).range()[Symbol.asyncIterator]().next();
    expect(task.disk.openSnapshots).toBe(100);
    await task.stores.close();
    expect(task.disk.openSnapshots).toBe(0);
  });

  it('reads no more than its part of a store with many entries in memory', async () => {
    const task = await started();
    for (let i = 0; i < 12_000; i++) balances(task).put(`k${String(i).padStart(5, '0')}`, i);
    task.commit();
    const flush = task.stores.flush();
    await task.clock.settle();
    await flush;
    balances(task).put('k00501', -1);
    balances(task).delete('k00502');
    expect(await rows(balances(task).range('k00500', 'k00503'))).toEqual([
      ['k00500', 500],
      ['k00501', -1],
      ['k00503', 503],
    ]);
  });
});

describe('a handle', () => {
  it('gets, puts and deletes; a put has the time of the push', async () => {
    const task = await started();
    task.keyValue('balances').scope.timestamp = 7;
    balances(task).put('a', 1);
    expect([balances(task).get('a'), balances(task).get('b')]).toEqual([1, undefined]);
    expect(task.keyValue<string, number>('balances').find('a')?.timestamp).toBe(7);
    balances(task).delete('a');
    expect(balances(task).get('a')).toBeUndefined();
  });
});
