import { bytes, float64, int64, string } from '../../src/codec/primitives';
import type { Codec } from '../../src/model/codec';
import { runtime } from '../../src/state/handle';
import { versionedStore } from '../../src/state/versioned-definition';
import type { VersionedHandle, VersionedRuntime } from '../../src/state/versioned-entries';
import type { TaskStoresOptions } from '../../src/state/task-stores';
import { errorWith } from '../operators/errors';
import { TestTask } from './test-task';

const NAME = 'prices';
const HISTORY = 100;
const prices = versionedStore(NAME, { key: string, value: int64, history: HISTORY });

async function started(definition: { readonly shape: TestTask['shapes'][number] } = prices, options: Partial<TaskStoresOptions> = {}) {
  const task = new TestTask([definition.shape], options);
  await task.start();
  return task;
}

function storeOf<K = string, V = number>(task: TestTask): VersionedRuntime<K, V> {
  return (task.stores.handle(NAME) as unknown as VersionedHandle<K, V>)[runtime];
}

const at = (task: TestTask, key: string, ...times: number[]): unknown[] => times.map((time) => storeOf(task).asOf(key, time)?.value);

/** How many versions the task's changelog says there are. */
function versionsIn(task: TestTask): number {
  const live = new Set<string>();
  for (const { key, value } of task.changelogs[0]!.all()) {
    const name = Buffer.from(key).toString('hex');
    if (value === null) live.delete(name);
    else live.add(name);
  }
  return live.size;
}

describe('versionedStore', () => {
  it.each([0, -1, NaN, 1.5, Infinity, undefined as unknown as number])('refuses the history %p', (history) => {
    expect(() => versionedStore(NAME, { key: string, value: int64, history })).toThrow(
      errorWith({ code: 'CONFIG', message: 'the option history is', where: { store: NAME, option: 'history' } }),
    );
  });

  it('refuses what is no codec, and names that no topic may have', () => {
    const value = {} as Codec<number>;
    expect(() => versionedStore(NAME, { key: string, value, history: 1 })).toThrow(
      errorWith({ code: 'CONFIG', message: 'value is no codec' }),
    );
    expect(() => versionedStore('no name', { key: string, value: int64, history: 1 })).toThrow(errorWith({ code: 'TOPIC_INVALID' }));
  });
});

describe('versions of a key', () => {
  it('are each valid from their time to the next one', async () => {
    const task = await started();
    expect([storeOf(task).place('a', 1, 10), storeOf(task).place('a', 2, 20)]).toEqual(['latest', 'latest']);
    expect(at(task, 'a', 9, 10, 19, 20, 500)).toEqual([undefined, 1, 1, 2, 2]);
    expect(storeOf(task).latest('a')).toEqual(expect.objectContaining({ value: 2, timestamp: 20 }));
  });

  it('lie by time, whenever they come', async () => {
    const task = await started();
    storeOf(task).place('a', 2, 20);
    expect(storeOf(task).place('a', 1, 10)).toBe('older');
    expect(storeOf(task).place('a', 3, 15)).toBe('older');
    expect(at(task, 'a', 9, 10, 15, 20)).toEqual([undefined, 1, 3, 2]);
    expect(storeOf(task).latest('a')?.value).toBe(2);
  });

  it('take the place of one of their very time', async () => {
    const task = await started();
    storeOf(task).place('a', 1, 10);
    expect(storeOf(task).place('a', 2, 10)).toBe('latest');
    storeOf(task).place('a', 3, 20);
    expect(storeOf(task).place('a', 4, 10)).toBe('older');
    expect(at(task, 'a', 9, 10, 20)).toEqual([undefined, 4, 3]);
  });

  it('may say that there is nothing', async () => {
    const task = await started();
    storeOf(task).place('a', 1, 10);
    storeOf(task).place('a', 2, 30);
    expect(storeOf(task).place('a', null, 20)).toBe('older');
    expect(at(task, 'a', 10, 20, 29, 30)).toEqual([1, undefined, undefined, 2]);
    expect(storeOf(task).place('a', null, 40)).toBe('latest');
    expect(storeOf(task).latest('a')).toBeUndefined();
    expect(at(task, 'a', 39, 40)).toEqual([2, undefined]);
  });

  it('are found back to the history of the newest of any key, behind which only the latest is', async () => {
    const task = await started();
    storeOf(task).place('a', 1, 10);
    storeOf(task).place('a', 2, 60);
    storeOf(task).place('b', 9, 115);
    expect(at(task, 'a', 14, 15, 59, 60)).toEqual([undefined, 1, 1, 2]);
    storeOf(task).place('b', 9, 500);
    expect(at(task, 'a', 59, 60, 399, 500)).toEqual([undefined, 2, 2, 2]);
  });

  it('are refused when they are older than the history', async () => {
    const task = await started();
    storeOf(task).place('b', 9, 115);
    expect(storeOf(task).place('a', 1, 14)).toBe('refused');
    expect(storeOf(task).place('a', 2, 15)).toBe('latest');
    expect(at(task, 'a', 15, 200)).toEqual([2, 2]);
  });
});

describe('a version that nobody can find any more', () => {
  it('goes when a later one of its key is written', async () => {
    const task = await started();
    for (let time = 0; time <= 1_000; time += 10) {
      storeOf(task).place('a', time, time);
      task.commit();
    }
    // From 900 on.
    expect(versionsIn(task)).toBe(11);
    expect(at(task, 'a', 899, 900, 905, 1_000)).toEqual([undefined, 900, 900, 1_000]);
  });

  it('goes when versions of other keys are written: a deleted key leaves nothing', async () => {
    const task = await started();
    for (const key of ['a', 'b', 'c']) {
      storeOf(task).place(key, 1, 10);
      storeOf(task).place(key, null, 20);
    }
    storeOf(task).place('kept', 1, 20);
    task.commit();
    expect(versionsIn(task)).toBe(7);
    storeOf(task).place('other', 1, 119);
    task.commit();
    // What was valid before 19 is gone, but not that there was nothing from 20 on.
    expect(at(task, 'a', 19, 20)).toEqual([1, undefined]);
    storeOf(task).place('other', 1, 120);
    storeOf(task).place('other', 1, 120);
    task.commit();
    expect(versionsIn(task)).toBe(3);
    expect(storeOf(task).latest('kept')?.value).toBe(1);
  });

  it('is gone as well after a restart that finds it on disk', async () => {
    const task = await started();
    storeOf(task).place('a', 1, 10);
    storeOf(task).place('a', null, 20);
    task.commit();
    await task.stores.flush();
    await task.crash();
    storeOf(task).place('b', 1, 500);
    task.commit();
    expect(versionsIn(task)).toBe(1);
  });

  it('comes back when what removed it is undone, and goes again', async () => {
    const task = await started();
    storeOf(task).place('a', 1, 10);
    storeOf(task).place('a', null, 20);
    task.commit();
    storeOf(task).place('b', 1, 500);
    task.stores.rollback();
    task.cells.rollback();
    expect(at(task, 'a', 10, 20)).toEqual([1, undefined]);
    storeOf(task).place('b', 1, 500);
    task.commit();
    expect(versionsIn(task)).toBe(1);
  });
});

describe('the changelog of versions', () => {
  it('has a record for each: key and time; whether there is a value, and the value', async () => {
    const task = await started();
    storeOf(task).place('k', 7, 258);
    storeOf(task).place('k', null, 259);
    task.seal();
    const hex = (part: Uint8Array | string): string => Buffer.from(part).toString('hex');
    expect(task.sealed.get(NAME)!.map(({ key, value, timestamp }) => [hex(key), hex(value!), timestamp])).toEqual([
      ['6b0000000000000102', `01${hex(int64.encode(7))}`, 258],
      ['6b0000000000000103', '00', 259],
    ]);
  });

  it('has them all again after a restart: from disk, from the changelog, and in part from each', async () => {
    const task = await started();
    storeOf(task).place('a', 1, 10);
    storeOf(task).place('b', 5, 11);
    task.commit();
    await task.stores.flush();
    storeOf(task).place('a', 3, 30);
    storeOf(task).place('a', 2, 20);
    storeOf(task).place('b', null, 12);
    task.commit();
    await task.crash();
    expect(at(task, 'a', 9, 10, 20, 30)).toEqual([undefined, 1, 2, 3]);
    expect(at(task, 'b', 11, 12)).toEqual([5, undefined]);
    expect(storeOf(task).place('c', 1, -71)).toBe('refused');
  });

  it('of a key whose bytes go on like another key keeps them apart', async () => {
    const task = await started(versionedStore(NAME, { key: bytes, value: int64, history: HISTORY }));
    const [short, longer] = [Buffer.from('61', 'hex'), Buffer.from(`61${'00'.repeat(8)}`, 'hex')];
    storeOf<Uint8Array>(task).place(short, 1, 0);
    storeOf<Uint8Array>(task).place(longer, 2, 0);
    task.commit();
    await task.crash();
    expect([short, longer].map((key) => storeOf<Uint8Array>(task).latest(key)?.value)).toEqual([1, 2]);
  });

  it('gives a longer history no more than was kept, and a shorter one less', async () => {
    const task = await started();
    for (const time of [0, 50, 100, 150, 200]) storeOf(task).place('a', time, time);
    task.commit();
    const again = async (history: number): Promise<TestTask> => {
      const other = new TestTask([versionedStore(NAME, { key: string, value: int64, history }).shape]);
      for (const record of task.changelogs[0]!.all()) other.changelogs[0]!.commit([record]);
      other.metadata = task.metadata;
      await other.start();
      return other;
    };
    expect(at(await again(10_000), 'a', 0, 99, 100, 199, 200)).toEqual([undefined, undefined, 100, 150, 200]);
    const shorter = await again(50);
    expect(at(shorter, 'a', 100, 149, 150, 200)).toEqual([undefined, undefined, 150, 200]);
    storeOf(shorter).place('a', 201, 201);
    shorter.commit();
    expect(versionsIn(shorter)).toBe(3);
  });
});

describe('a versioned store', () => {
  it('goes back to what was with each layer that is dropped', async () => {
    const task = await started();
    storeOf(task).place('a', 1, 10);
    task.commit();
    storeOf(task).place('a', 2, 20);
    task.seal();
    storeOf(task).place('a', 3, 30);
    task.stores.checkpoint();
    storeOf(task).place('a', 4, 40);
    task.stores.rollback();
    expect(storeOf(task).latest('a')?.value).toBe(3);
    task.abort();
    expect(at(task, 'a', 10, 20, 40)).toEqual([1, 1, 1]);
  });

  it('reads from disk again what the cache has let go, with one read for all versions of a key', async () => {
    const task = await started(prices, { cacheBytes: 1 });
    for (const key of ['a', 'b', 'c']) for (const time of [10, 20, 30]) storeOf(task).place(key, time, time);
    task.commit();
    await task.stores.flush();
    await task.stores.flush();
    const { gets } = task.disk;
    expect(at(task, 'a', 10, 25, 30)).toEqual([10, 20, 30]);
    expect(task.disk.gets).toBe(gets + 1);
  });

  it('fails where a value is written that does not encode, if that is asked for', async () => {
    const task = await started(prices, { freeze: true });
    expect(() => storeOf(task).place('a', 0.5, 1)).toThrow(errorWith({ code: 'ENCODE', where: { store: NAME } }));
  });

  it('is read and written by its handle: latest, as of a time, from the time of the record being pushed', async () => {
    const task = await started(versionedStore(NAME, { key: string, value: float64, history: HISTORY }));
    const store = task.stores.handle(NAME) as unknown as VersionedHandle<string, number>;
    store.put('a', 1, 10);
    store[runtime].scope.timestamp = 20;
    store.put('a', 2);
    store.put('a', null, 30);
    expect([store.get('a'), store.get('a', 15), store.get('a', 20), store.get('a', 30)]).toEqual([undefined, 1, 2, undefined]);
  });
});
