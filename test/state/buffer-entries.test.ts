import { bytes, int64, string } from '../../src/codec/primitives';
import type { Codec } from '../../src/model/codec';
import { bufferStore } from '../../src/state/buffer-definition';
import type { BufferHandle, BufferRuntime, Waiting } from '../../src/state/buffer-entries';
import { runtime } from '../../src/state/handle';
import type { TaskStoresOptions } from '../../src/state/task-stores';
import { errorWith } from '../operators/errors';
import { TestTask } from './test-task';

const NAME = 'waiting';
const waiting = bufferStore(NAME, { key: string, value: int64 });
const none = new Map<string, Uint8Array>();

async function started(definition: { readonly shape: TestTask['shapes'][number] } = waiting, options: Partial<TaskStoresOptions> = {}) {
  const task = new TestTask([definition.shape], options);
  await task.start();
  return task;
}

function storeOf<K = string>(task: TestTask): BufferRuntime<K, number> {
  return (task.stores.handle(NAME) as unknown as BufferHandle<K, number>)[runtime];
}

function keep(task: TestTask, key: string, time: number, value: number): void {
  storeOf(task).keep(key, value, time, none);
}

/** Takes everything out, in order. */
function drain<K = string>(task: TestTask, until = Infinity): Waiting<K, number>[] {
  const found: Waiting<K, number>[] = [];
  for (let next = storeOf<K>(task).next(until); next !== undefined; next = storeOf<K>(task).next(until)) {
    storeOf<K>(task).letGo(next, 100);
    found.push(next);
  }
  return found;
}

const shown = ({ key, time, entry }: Waiting<string, number>): unknown => [key.key, time, entry.value.value];

describe('bufferStore', () => {
  it('refuses what is no codec, and names that no topic may have', () => {
    const key = {} as Codec<string>;
    expect(() => bufferStore(NAME, { key, value: int64 })).toThrow(errorWith({ code: 'CONFIG', message: 'the option key is no codec' }));
    expect(() => bufferStore('', { key: string, value: int64 })).toThrow(errorWith({ code: 'TOPIC_INVALID' }));
  });
});

describe('records that wait', () => {
  it('come out by time, key bytes and arrival; equal ones are rows of their own', async () => {
    const task = await started();
    keep(task, 'b', 5, 1);
    keep(task, 'a', 5, 2);
    keep(task, 'b', 5, 3);
    keep(task, 'a', 3, 4);
    keep(task, 'a', 5, 2);
    expect(storeOf(task).earliest).toBe(3);
    expect(drain(task).map(shown)).toEqual([
      ['a', 3, 4],
      ['a', 5, 2],
      ['a', 5, 2],
      ['b', 5, 1],
      ['b', 5, 3],
    ]);
    expect(storeOf(task).earliest).toBe(Infinity);
  });

  it('come out in the order of key bytes where one key goes on like another and its number', async () => {
    const task = await started(bufferStore(NAME, { key: bytes, value: int64 }));
    const keys = ['61', `61${'00'.repeat(8)}`, `61${'00'.repeat(7)}`, '60ff', '61ff', ''].map((hex) => Buffer.from(hex, 'hex'));
    keys.forEach((key, at) => {
      storeOf<Uint8Array>(task).keep(key, at, 7, none);
    });
    const found = drain<Uint8Array>(task).map(({ key }) => Buffer.from(key.key).toString('hex'));
    expect(found).toEqual(['', '60ff', '61', `61${'00'.repeat(7)}`, `61${'00'.repeat(8)}`, '61ff']);
  });

  it('come out up to a time', async () => {
    const task = await started();
    keep(task, 'a', 5, 1);
    keep(task, 'a', 6, 2);
    expect(drain(task, 5).map(shown)).toEqual([['a', 5, 1]]);
  });

  it('are there again after a restart, with headers and in order: from disk, from the changelog, and in part from each', async () => {
    const task = await started();
    storeOf(task).keep('b', 1, 5, new Map([['trace', Buffer.from('one')]]));
    keep(task, 'a', 4, 2);
    task.commit();
    await task.stores.flush();
    keep(task, 'b', 5, 3);
    drain(task, 4);
    task.commit();
    await task.crash();
    keep(task, 'b', 5, 4);
    const found = drain(task);
    expect(found.map(shown)).toEqual([
      ['b', 5, 1],
      ['b', 5, 3],
      ['b', 5, 4],
    ]);
    expect(Buffer.from(found[0]!.entry.value.headers.get('trace')!).toString()).toBe('one');
  });

  it('take the place of none even where the number of the next is not known', async () => {
    const task = await started();
    keep(task, 'a', 5, 1);
    keep(task, 'a', 5, 2);
    task.commit();
    task.metadata = '';
    await task.crash();
    keep(task, 'a', 5, 3);
    expect(drain(task).map(shown)).toEqual([
      ['a', 5, 1],
      ['a', 5, 2],
      ['a', 5, 3],
    ]);
  });

  it('leave a tombstone each, and nothing on disk', async () => {
    const task = await started();
    keep(task, 'a', 5, 1);
    keep(task, 'a', 5, 2);
    task.commit();
    await task.stores.flush();
    drain(task);
    task.seal();
    expect(task.sealed.get(NAME)!.map(({ key, value }) => [Buffer.from(key).toString('hex'), value])).toEqual([
      ['610000000000000000', null],
      ['610000000000000001', null],
    ]);
    task.committed();
    await task.stores.flush();
    expect(task.stores.isEmpty).toBe(true);
  });

  it('go back to what was with each layer that is dropped', async () => {
    const task = await started();
    keep(task, 'a', 5, 1);
    keep(task, 'a', 6, 2);
    task.commit();
    expect(drain(task, 5)).toHaveLength(1);
    task.stores.checkpoint();
    task.cells.checkpoint();
    keep(task, 'b', 4, 3);
    expect(drain(task)).toHaveLength(2);
    task.stores.rollback();
    task.cells.rollback();
    expect(storeOf(task).next(Infinity)?.time).toBe(6);
    task.abort();
    expect(drain(task).map(shown)).toEqual([
      ['a', 5, 1],
      ['a', 6, 2],
    ]);
  });

  it('are read from disk when the cache has let them go', async () => {
    const task = await started(waiting, { cacheBytes: 1 });
    for (const key of ['c', 'a', 'b']) keep(task, key, 5, 1);
    task.commit();
    await task.stores.flush();
    await task.stores.flush();
    const { gets } = task.disk;
    expect(drain(task).map(({ key }) => key.key)).toEqual(['a', 'b', 'c']);
    expect(task.disk.gets).toBe(gets + 3);
  });

  it('fail where they are kept when they do not encode', async () => {
    const task = await started();
    expect(() => keep(task, 'a', 5, 0.5)).toThrow(errorWith({ code: 'ENCODE', where: { store: NAME } }));
    expect(storeOf(task).earliest).toBe(Infinity);
  });
});
