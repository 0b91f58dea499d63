import { int64, string } from '../../src/codec/primitives';
import { windowStoreKey } from '../../src/codec/store-key';
import { keyValueStore, windowStore } from '../../src/state/definition';
import type { KeyValueRuntime } from '../../src/state/handle';
import { restoreStores, type StoreProgress } from '../../src/state/restore';
import type { BytesOperation } from '../../src/state/port';
import { silentLogger } from '../../src/model/logger';
import type { ChangelogModel, ChangelogRecord } from './changelog-model';
import { readFrom } from './changelog-model';
import { CLUSTER, TestTask } from './test-task';

const balances = keyValueStore('balances', { key: string, value: int64 });
const counts = windowStore('counts', { key: string, value: int64, windows: { size: 10 }, retention: 1_000 });
const DAY = 86_400_000;

const balance = (task: TestTask): KeyValueRuntime<string, number> => task.keyValue('balances');
const put = (key: string, value: number, timestamp = 1): ChangelogRecord => ({
  key: Buffer.from(key),
  value: int64.encode(value),
  timestamp,
});
const tombstone = (key: string): ChangelogRecord => ({ key: Buffer.from(key), value: null, timestamp: 1 });
const log = (task: TestTask): ChangelogModel => task.changelogs[0]!;
const rebuilt = (task: TestTask): string[] => task.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);

async function started(): Promise<TestTask> {
  const task = new TestTask([balances.shape]);
  await task.start();
  return task;
}

/** A task whose disk holds a and b, flushed. */
async function flushed(): Promise<TestTask> {
  const task = await started();
  balance(task).write('a', 1, 1);
  balance(task).write('b', 2, 1);
  task.commit();
  await task.stores.flush();
  return task;
}

describe('restoring', () => {
  it('an empty changelog finds no state', async () => {
    const task = new TestTask([balances.shape]);
    expect(await task.start()).toEqual({ records: 0, hasState: false });
  });

  it('gives each key its last value, with the record’s time, and nothing for tombstones', async () => {
    const task = new TestTask([balances.shape]);
    log(task).commit([put('a', 1), put('b', 1), put('a', 2, 77), put('c', 1), tombstone('b')]);
    log(task).commit([tombstone('c'), put('d', 4), put('c', 5)]);
    expect(await task.start()).toEqual({ records: 8, hasState: true });
    const found = ['a', 'b', 'c', 'd'].map((key) => balance(task).find(key));
    expect(found).toEqual([{ value: 2, timestamp: 77 }, undefined, { value: 5, timestamp: 1 }, { value: 4, timestamp: 1 }]);
  });

  it('S2 open windows comes with them', async () => {
    const task = new TestTask([counts.shape]);
    log(task).commit([
      { key: windowStoreKey(Buffer.from('k'), 20), value: int64.encode(3), timestamp: 25 },
      { key: windowStoreKey(Buffer.from('key'), 20), value: int64.encode(4), timestamp: 26 },
      { key: windowStoreKey(Buffer.from('k'), 30), value: null, timestamp: 27 },
    ]);
    await task.start();
    const store = task.window<string, number>('counts');
    expect([store.find('k', 20), store.find('key', 20)?.value, store.find('k', 30)]).toEqual([{ value: 3, timestamp: 25 }, 4, undefined]);
    expect([store.nextStart(0), store.nextStart(21)]).toEqual([20, Infinity]);
  });

  it('S3 after an unclean stop keeps what is on disk and reads the difference only', async () => {
    const task = await flushed();
    balance(task).write('a', 10, 2);
    task.commit();
    expect(await task.crash()).toEqual({ records: 1, hasState: true });
    expect(log(task).reads).toEqual([{ from: 2, until: 5 }]);
    expect([balance(task).find('a')?.value, balance(task).find('b')?.value]).toEqual([10, 2]);
    expect(rebuilt(task)).toEqual([]);
  });

  it('S4 ends where a changelog ends in markers, aborted records or offsets compacted away, and does not read those twice', async () => {
    const task = await flushed();
    log(task).abort(5);
    log(task).end += 10;
    await task.crash();
    expect(task.stores.position('balances')).toBe(log(task).end);
    log(task).reads.length = 0;
    await task.crash();
    expect(log(task).reads).toEqual([]);
  });

  it('S14 a store behind catches up', async () => {
    const task = await flushed();
    log(task).commit([put('c', 3)]);
    await task.crash();
    expect(balance(task).find('c')?.value).toBe(3);
  });

  it('a store in memory reads the whole changelog at every start', async () => {
    const task = new TestTask([{ ...balances.shape, persistent: false }]);
    await task.start();
    balance(task).write('a', 1, 1);
    task.commit();
    await task.stores.flush();
    await task.crash();
    expect(log(task).reads).toEqual([{ from: 0, until: 2 }]);
    expect(balance(task).find('a')?.value).toBe(1);
    expect(task.disk.writes).toBe(0);
  });

  it('in the same process, after an abort, shows what others have committed meanwhile', async () => {
    const task = await flushed();
    expect(balance(task).find('a')?.value).toBe(1);
    balance(task).write('a', 5, 1);
    task.abort();
    log(task).commit([put('a', 9), tombstone('b')]);
    await task.restore();
    expect([balance(task).find('a')?.value, balance(task).find('b')]).toEqual([9, undefined]);
  });

  it('in the same process keeps commits that are not on disk yet', async () => {
    const task = await started();
    balance(task).write('a', 1, 1);
    task.commit();
    balance(task).write('a', 2, 1);
    task.abort();
    log(task).commit([put('b', 9)]);
    await task.restore();
    expect([balance(task).find('a')?.value, balance(task).find('b')?.value]).toEqual([1, 9]);
  });

  it('takes several stores at once, each from its own changelog', async () => {
    const task = new TestTask([balances.shape, counts.shape]);
    log(task).commit([put('a', 1)]);
    task.changelogs[1]!.commit([{ key: windowStoreKey(Buffer.from('k'), 20), value: int64.encode(3), timestamp: 25 }]);
    expect((await task.start()).records).toBe(2);
    expect([balance(task).find('a')?.value, task.window<string, number>('counts').find('k', 20)?.value]).toEqual([1, 3]);
  });

  it('refuses to work on uncommitted ground', async () => {
    const task = await started();
    balance(task).write('a', 1, 1);
    await expect(task.restore()).rejects.toThrow('committed ground');
    task.seal();
    await expect(task.restore()).rejects.toThrow('committed ground');
  });

  it('refuses a record whose key is none of the store’s, naming offset and changelog', async () => {
    const task = new TestTask([counts.shape]);
    log(task).commit([put('short', 1)]);
    await expect(task.start()).rejects.toMatchObject({
      code: 'PROTOCOL',
      where: { topic: 'app-counts-changelog', partition: 0, offset: 0 },
    });
    await expect(task.start()).rejects.toThrow(/offset 0 of changelog app-counts-changelog-0/);
  });

  it('reports how far it is', async () => {
    const task = new TestTask([balances.shape]);
    for (let i = 0; i < 3; i++) log(task).commit([put('a', i), put('b', i)]);
    await task.open();
    const seen: StoreProgress[] = [];
    await restoreStores({
      stores: task.stores,
      clusterId: CLUSTER,
      changelogs: [log(task).describe()],
      read: readFrom(task.changelogs),
      clock: task.clock,
      logger: silentLogger,
      progress: (progress) => seen.push(progress),
    });
    expect(seen.map(({ records, left, done }) => [records, left, done])).toEqual([
      [0, 9, false],
      [2, 7, false],
      [4, 4, false],
      [6, 1, false],
      [6, 0, true],
    ]);
  });
});

describe('a restore that is cut off', () => {
  it('goes on from there at the next start, exactly', async () => {
    const task = new TestTask([balances.shape]);
    log(task).commit([put('a', 1), put('b', 1)]);
    log(task).commit([put('a', 2)]);
    await task.open();
    const cutOff = restoreStores({
      stores: task.stores,
      clusterId: CLUSTER,
      changelogs: [log(task).describe()],
      read: async (_topic, _partition, from, until, apply) => {
        await log(task).read(from, until - 2, apply);
        throw new Error('the connection is gone');
      },
      clock: task.clock,
    });
    await expect(cutOff).rejects.toThrow('the connection is gone');
    log(task).reads.length = 0;
    await task.crash();
    expect(log(task).reads).toEqual([{ from: 2, until: 5 }]);
    expect([balance(task).find('a')?.value, balance(task).find('b')?.value]).toEqual([2, 1]);
  });

  it('by a disk that refuses goes on from what the disk has, in the same process too', async () => {
    const task = new TestTask([balances.shape]);
    log(task).commit([put('a', 1), put('b', 1)]);
    log(task).commit([put('a', 2)]);
    await task.open();
    task.disk.failing = 1;
    await expect(task.restore()).rejects.toMatchObject({ code: 'STATE_IO' });
    expect(task.stores.position('balances')).toBe(0);
    await task.restore();
    expect([balance(task).find('a')?.value, balance(task).find('b')?.value]).toEqual([2, 1]);
  });

  it('waits for what is being written before it says so', async () => {
    const task = new TestTask([balances.shape]);
    log(task).commit([put('a', 1)]);
    await task.open();
    task.disk.holding = true;
    let outcome: unknown;
    const restoring = restoreStores({
      stores: task.stores,
      clusterId: CLUSTER,
      changelogs: [log(task).describe()],
      read: async (_topic, _partition, from, until, apply) => {
        await log(task).read(from, until, apply);
        throw new Error('the connection is gone');
      },
      clock: task.clock,
    }).catch((error: unknown) => (outcome = error));
    await task.clock.settle();
    expect([task.disk.heldWrites, outcome]).toEqual([1, undefined]);
    task.disk.refuse();
    await restoring;
    expect([(outcome as Error).message, task.stores.position('balances')]).toEqual(['the connection is gone', 0]);
  });

  it('in the middle of clearing a store clears it again', async () => {
    const task = await flushed();
    log(task).recreate('topic-2');
    log(task).commit([put('c', 3)]);
    const { contents } = task.disk;
    const write = contents.write.bind(contents);
    const isRow = ({ type, key }: BytesOperation): boolean => type === 'delete' && key[0] === 1;
    contents.write = (operations) => (operations.some(isRow) ? Promise.reject(new Error('killed')) : write(operations));
    await expect(task.crash()).rejects.toThrow('killed');
    Reflect.deleteProperty(contents, 'write');
    // Had the process died with some entries gone, their loss would not show in the position.
    log(task).topicId = 'topic-1';
    log(task).end += 3;
    await task.crash();
    expect([balance(task).find('a'), balance(task).find('c')?.value]).toEqual([undefined, 3]);
  });
});

describe('local state is rebuilt, with a line that says why,', () => {
  async function expectRebuilt(task: TestTask, reason: RegExp): Promise<void> {
    expect(rebuilt(task)).toEqual([expect.stringMatching(reason)]);
    expect(balance(task).find('b')).toBeUndefined();
    expect(balance(task).find('c')?.value).toBe(3);
  }

  it('when its changelog was created anew', async () => {
    const task = await flushed();
    log(task).recreate('topic-2');
    log(task).commit([put('c', 3), put('d', 4), put('e', 5), put('f', 6)]);
    await task.crash();
    await expectRebuilt(task, /store "balances" is cleared and rebuilt.*created anew/);
  });

  it('when it is that of another cluster', async () => {
    const task = await flushed();
    log(task).recreate('topic-1');
    log(task).commit([put('c', 3), put('d', 4), put('e', 5), put('f', 6)]);
    await task.disk.crash(0);
    await task.open();
    await task.restore('cluster-2');
    await expectRebuilt(task, /belongs to cluster cluster-1, this is cluster-2/);
  });

  it('S14 when it is ahead of its changelog', async () => {
    const task = await flushed();
    log(task).recreate('topic-1');
    log(task).commit([put('c', 3)]);
    // One record and a marker: the end is as far as the position. Take the marker away.
    log(task).end = 1;
    await task.crash();
    await expectRebuilt(task, /is at offset 2, its changelog ends at 1/);
  });

  it('when its changelog no longer has what comes next', async () => {
    const task = await flushed();
    log(task).end = 100;
    log(task).commit([put('c', 3)]);
    log(task).logStart = 100;
    await task.crash();
    await expectRebuilt(task, /is at offset 2, its changelog begins at 100/);
  });

  it('when it is older than half of what the changelog keeps tombstones for', async () => {
    const task = await flushed();
    task.clock.jump(3.5 * DAY + 1_000);
    log(task).recreate('topic-1');
    log(task).end = 2;
    log(task).commit([put('c', 3)]);
    await task.crash();
    await expectRebuilt(task, /tombstones since then may have been compacted away/);
  });

  it('when it was written in the future: a clock was set, and it may be of any age', async () => {
    const task = await flushed();
    task.clock.jump(-3 * DAY);
    log(task).commit([put('c', 3)]);
    await task.crash();
    expect(rebuilt(task)).toEqual([expect.stringMatching(/259\d\d\d s in the future: the clock was set/)]);
    expect(['a', 'b', 'c'].map((key) => balance(task).find(key)?.value)).toEqual([1, 2, 3]);
    await task.crash();
    expect(rebuilt(task)).toHaveLength(1);
  });

  it('when the store is another kind now', async () => {
    const task = await flushed();
    const later = new TestTask([{ ...counts.shape, name: 'balances' }]);
    later.changelogs[0]!.end = log(task).end;
    Object.assign(later, { disk: task.disk });
    await later.start();
    const store = later.window<string, number>('balances');
    expect(store.nextStart(-Infinity)).toBe(Infinity);
  });

  it('store by store: the others are kept', async () => {
    const task = new TestTask([balances.shape, counts.shape]);
    await task.start();
    balance(task).write('a', 1, 1);
    task.window<string, number>('counts').write('k', 20, 3, 25);
    task.commit();
    await task.stores.flush();
    log(task).recreate('topic-2');
    task.changelogs[1]!.reads.length = 0;
    await task.crash();
    expect(balance(task).find('a')).toBeUndefined();
    expect(task.window<string, number>('counts').find('k', 20)?.value).toBe(3);
    expect(task.changelogs[1]!.reads).toEqual([{ from: 1, until: 2 }]);
  });
});

describe('local state is kept', () => {
  it('however old it is, if its changelog has nothing more than a marker', async () => {
    const task = await flushed();
    task.clock.jump(30 * DAY);
    await task.crash();
    expect(rebuilt(task)).toEqual([]);
    expect(balance(task).find('a')?.value).toBe(1);
  });

  it('when the clock was set back by seconds', async () => {
    const task = await flushed();
    task.clock.jump(-5_000);
    log(task).commit([put('c', 3)]);
    await task.crash();
    expect(rebuilt(task)).toEqual([]);
    expect(balance(task).find('c')?.value).toBe(3);
  });

  it('by the time of the last commit, not of the last start', async () => {
    const task = await flushed();
    task.clock.jump(3 * DAY);
    balance(task).write('c', 3, 1);
    task.commit();
    await task.stores.flush();
    task.clock.jump(3 * DAY);
    log(task).commit([put('d', 4)]);
    await task.crash();
    expect(rebuilt(task)).toEqual([]);
    task.clock.jump(3 * DAY);
    await task.disk.crash(0);
    await task.open();
    await task.stores.flush();
    await task.stores.close();
    task.clock.jump(DAY);
    log(task).commit([put('e', 5)]);
    await task.crash();
    // Opened in between, but not restored: that made it no younger.
    expect(rebuilt(task)).toHaveLength(1);
  });

  it('S8 when a store is added to the topology', async () => {
    const task = await flushed();
    const later = new TestTask([counts.shape, balances.shape]);
    Object.assign(later, { disk: task.disk, changelogs: [task.changelogs[0], later.changelogs[0]] });
    await later.start();
    expect(balance(later).find('a')?.value).toBe(1);
    later.window<string, number>('counts').write('k', 20, 3, 25);
    later.commit();
    await later.stores.flush();
    await later.crash();
    expect([balance(later).find('a')?.value, later.window<string, number>('counts').find('k', 20)?.value]).toEqual([1, 3]);
  });

  it('for a day when its store is removed from the topology, then it goes', async () => {
    const task = await flushed();
    const without = new TestTask([counts.shape]);
    Object.assign(without, { disk: task.disk });
    await without.start();
    await without.stores.close();
    log(task).reads.length = 0;
    await task.crash();
    expect(balance(task).find('a')?.value).toBe(1);
    expect(log(task).reads).toEqual([{ from: 2, until: 3 }]);
    without.clock.jump(2 * DAY);
    await without.crash();
    const left = await task.disk.contents.read({ from: Uint8Array.of(1), to: Uint8Array.of(2) }, 10);
    expect(left).toEqual([]);
    expect(without.lines.map(({ message }) => message)).toEqual([expect.stringContaining('the topology no longer has it')]);
  });
});

describe('a task’s folder', () => {
  it('that is another task’s is emptied', async () => {
    const task = await flushed();
    const other = new TestTask([balances.shape], { partition: 1 });
    Object.assign(other, { disk: task.disk });
    const removed = task.disk.contents;
    Object.assign(task.disk, { contents: removed });
    await other.open().catch(() => undefined);
    expect(other.lines.map(({ message }) => message)).toEqual([expect.stringContaining('it is that of task 0')]);
  });
});
