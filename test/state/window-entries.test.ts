import { float64, int64, string } from '../../src/codec/primitives';
import { windowStore } from '../../src/state/definition';
import type { WindowCursor, WindowRuntime } from '../../src/state/handle';
import { TestTask } from './test-task';

describe.each([
  ['one behind the other', { size: 10, grace: 5 }],
  ['that overlap', { size: 10, advance: 5, grace: 5 }],
])('windows %s', (_, windows) => {
  const definition = windowStore('counts', { key: string, value: int64, windows });

  async function started(options: ConstructorParameters<typeof TestTask>[1] = {}): Promise<TestTask> {
    const task = new TestTask([definition.shape], options);
    await task.start();
    return task;
  }

  const counts = (task: TestTask): WindowRuntime<string, number> => task.window('counts');

  async function advance(cursor: WindowCursor<string, number>): Promise<boolean> {
    for (;;) {
      const more = cursor.next();
      if (typeof more === 'boolean') return more;
      await more;
    }
  }

  async function rest(cursor: WindowCursor<string, number>): Promise<[string, number][]> {
    const rows: [string, number][] = [];
    while (await advance(cursor)) rows.push([cursor.key, cursor.entry.value]);
    return rows;
  }

  /** On disk, and nothing of it in memory. */
  async function onDisk(task: TestTask, rows: readonly (readonly [string, number, number])[]): Promise<void> {
    for (const [key, start, value] of rows) counts(task).write(key, start, value, 1);
    task.commit();
    await task.stores.flush();
    await task.crash();
  }

  describe('a window', () => {
    it('becomes invisible when a newer one is written, by the start and the retention', async () => {
      const task = await started();
      expect(counts(task).invisibleUpTo).toBe(-Infinity);
      counts(task).write('a', 0, 1, 1);
      counts(task).write('a', 10, 2, 1);
      expect(counts(task).find('a', 0)?.value).toBe(1);
      counts(task).write('b', 15, 3, 1);
      expect(counts(task).invisibleUpTo).toBe(0);
      expect([counts(task).find('a', 0), counts(task).find('a', 10)?.value]).toEqual([undefined, 2]);
    });

    it('is found behind an earlier one of the same key, also when its entry has left memory and come back meanwhile', async () => {
      const task = await started();
      const of = (key: string, start: number): number | undefined => counts(task).read(key, start)?.value;
      for (const start of [0, 10]) counts(task).write('a', start, start + 1, 1);
      expect([of('b', 0), of('a', 0), of('a', 10)]).toEqual([undefined, 1, 11]);
      counts(task).remove('a', 10, 2);
      task.commit();
      expect([of('b', 0), of('a', 0), of('a', 10)]).toEqual([undefined, 1, undefined]);
      expect(of('b', 0)).toBeUndefined();
      counts(task).write('a', 10, 7, 3);
      expect([of('b', 0), of('a', 0), of('a', 10)]).toEqual([undefined, 1, 7]);
    });

    it('is one for 0 and another for -0, whose bytes differ', async () => {
      const numbered = windowStore('counts', { key: float64, value: int64, windows });
      const task = new TestTask([numbered.shape]);
      await task.start();
      const store = task.window('counts') as unknown as WindowRuntime<number, number>;
      store.write(0, 0, 1, 1);
      expect([store.read(0, 0)?.value, store.read(-0, 0)?.value]).toEqual([1, undefined]);
    });

    it('stays invisible after a restart, though what made it so was removed', async () => {
      const task = await started();
      counts(task).write('a', 0, 1, 1);
      counts(task).write('b', 100, 1, 1);
      counts(task).remove('b', 100, 2);
      task.commit();
      await task.crash();
      expect(counts(task).invisibleUpTo).toBe(85);
      expect(counts(task).find('a', 0)).toBeUndefined();
    });

    it('is judged by the newest one on disk where the greatest start written was lost', async () => {
      const task = await started();
      await onDisk(task, [
        ['a', 0, 1],
        ['b', 100, 1],
      ]);
      task.metadata = '';
      await task.crash();
      expect(counts(task).invisibleUpTo).toBe(85);
    });

    it('is visible again when the write that hid it is rolled back', async () => {
      const task = await started();
      counts(task).write('a', 0, 1, 1);
      task.commit();
      counts(task).write('b', 100, 1, 1);
      task.stores.rollback();
      task.cells.rollback();
      expect(counts(task).find('a', 0)?.value).toBe(1);
    });
  });

  describe('the next start', () => {
    it('is known after a restart without reading a window', async () => {
      const task = await started();
      await onDisk(task, [
        ['a', 30, 1],
        ['b', 30, 1],
        ['a', 10, 1],
      ]);
      const { reads, gets } = task.disk;
      expect([0, 10, 11, 31].map((from) => counts(task).nextStart(from))).toEqual([10, 10, 30, Infinity]);
      expect([task.disk.reads, task.disk.gets]).toEqual([reads, gets]);
    });

    it('passes over a window whose entries were all removed, before any commit', async () => {
      const task = await started();
      await onDisk(task, [
        ['a', 10, 1],
        ['b', 10, 1],
        ['a', 20, 1],
      ]);
      const cursor = counts(task).open(10);
      while (await advance(cursor)) counts(task).remove(cursor.key, 10, 2);
      expect(counts(task).nextStart(0)).toBe(20);
      task.stores.rollback();
      expect(counts(task).nextStart(0)).toBe(10);
    });

    it('does not pass over a window that was only walked', async () => {
      const task = await started();
      await onDisk(task, [['a', 10, 1]]);
      await rest(counts(task).open(10));
      expect(counts(task).nextStart(0)).toBe(10);
    });

    it('does not pass over a window of which the cache has let entries go', async () => {
      const task = await started({ cacheBytes: 1 });
      await onDisk(task, [['a', 10, 1]]);
      const cursor = counts(task).open(10);
      while (await advance(cursor)) counts(task).remove(cursor.key, 10, 2);
      counts(task).write('b', 10, 2, 3);
      task.commit();
      // The first look marks, the second lets go.
      await task.stores.flush();
      await task.stores.flush();
      expect(counts(task).nextStart(0)).toBe(10);
      expect(await rest(counts(task).open(10))).toEqual([['b', 2]]);
    });

    it('finds out at a flush that a window is empty, when nobody has walked it', async () => {
      const task = await started();
      await onDisk(task, [['a', 10, 1]]);
      counts(task).remove('a', 10, 2);
      expect(counts(task).nextStart(0)).toBe(10);
      task.commit();
      await task.stores.flush();
      expect(counts(task).nextStart(0)).toBe(Infinity);
      counts(task).write('a', 10, 3, 3);
      expect(counts(task).nextStart(0)).toBe(10);
    });
  });

  describe('a cursor', () => {
    const KEYS = ['', 'A', 'a', 'a\u0000', 'é', '\uffff', '😀'];

    it.each([
      ['in memory', async (_task: TestTask) => undefined],
      ['on disk', (task: TestTask) => onDisk(task, [])],
    ])('walks a window in the order of key bytes: %s', async (_, place) => {
      const task = await started();
      for (const key of [...KEYS].reverse()) counts(task).write(key, 10, 1, 1);
      for (const start of [0, 20]) counts(task).write('other', start, 1, 1);
      await place(task);
      const keys = (await rest(counts(task).open(10))).map(([key]) => key);
      expect(keys).toEqual([...KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    });

    it.each([
      ['in memory', async (_task: TestTask) => undefined],
      ['on disk', (task: TestTask) => onDisk(task, [])],
    ])('begins behind a key, which need not be there: %s', async (_, place) => {
      const task = await started();
      for (const key of ['a', 'b', 'c', 'é']) counts(task).write(key, 10, 1, 1);
      await place(task);
      const after = async (identity: string): Promise<string[]> => (await rest(counts(task).open(10, identity))).map(([key]) => key);
      expect([await after('a'), await after('bb'), await after('é')]).toEqual([['b', 'c', 'é'], ['c', 'é'], []]);
    });

    it('needs no promise while all of a window is in memory', async () => {
      const task = await started();
      for (const key of ['b', 'a']) counts(task).write(key, 10, 1, 1);
      const cursor = counts(task).open(10);
      expect([cursor.next(), cursor.key, cursor.identity, cursor.next(), cursor.key, cursor.next(), cursor.next()]).toEqual([
        true,
        'a',
        'a',
        true,
        'b',
        false,
        false,
      ]);
    });

    it('shows the moment of its opening: disk, memory, what is committed, written and flushed meanwhile', async () => {
      const task = await started();
      await onDisk(task, [
        ['a', 10, 1],
        ['b', 10, 2],
        ['c', 10, 3],
      ]);
      counts(task).write('b', 10, 20, 2);
      counts(task).write('d', 10, 40, 2);
      task.seal();
      counts(task).write('d', 10, 41, 2);
      counts(task).remove('c', 10, 2);
      const cursor = counts(task).open(10);
      counts(task).write('a', 10, 100, 3);
      counts(task).write('e', 10, 5, 3);
      counts(task).remove('d', 10, 3);
      task.committed();
      task.commit();
      await task.stores.flush();
      expect(await rest(cursor)).toEqual([
        ['a', 1],
        ['b', 20],
        ['d', 41],
      ]);
      expect(await rest(counts(task).open(10))).toEqual([
        ['a', 100],
        ['b', 20],
        ['e', 5],
      ]);
    });

    it('walks thousands of entries on disk, with those in memory among them', async () => {
      const task = await started();
      const key = (i: number): string => `k${String(i).padStart(5, '0')}`;
      await onDisk(
        task,
        Array.from({ length: 2_500 }, (_, i) => [key(2 * i), 10, i] as const),
      );
      for (let i = 0; i < 2_500; i += 10) counts(task).write(key(2 * i + 1), 10, -i, 2);
      counts(task).remove(key(0), 10, 2);
      const rows = await rest(counts(task).open(10));
      expect(rows).toHaveLength(2_500 + 250 - 1);
      expect(rows.map(([name]) => name)).toEqual([...rows.map(([name]) => name)].sort());
    });

    it('S12 leaves nothing open on disk: walked to the end, closed, or abandoned when the task closes', async () => {
      const task = await started();
      await onDisk(
        task,
        Array.from({ length: 20 }, (_, i) => [`k${i}`, 10, i] as const),
      );
      for (let i = 0; i < 1_000; i++) {
        const cursor = counts(task).open(10);
        if (i % 3 === 0) await advance(cursor);
        if (i % 3 === 1) cursor.close();
      }
      const { cursors } = task.stores.restorable('counts').entries as unknown as { readonly cursors: ReadonlySet<unknown> };
      expect(cursors.size).toBe(667);
      await task.stores.close();
      expect([cursors.size, task.disk.openSnapshots, task.disk.tornSnapshots]).toEqual([0, 0, 0]);
    });

    it('ends when it is closed', async () => {
      const task = await started();
      await onDisk(task, [['a', 10, 1]]);
      const cursor = counts(task).open(10);
      cursor.close();
      expect(cursor.next()).toBe(false);
    });
  });

  describe('windows of two tasks', () => {
    it('S7 with the same start both give all their keys', async () => {
      const tasks = [await started(), await started()];
      for (const [i, task] of tasks.entries()) for (const key of ['a', 'b']) counts(task).write(`${key}${i}`, 10, i, 1);
      const walked = await Promise.all(tasks.map((task) => rest(counts(task).open(10))));
      expect(walked).toEqual([
        [
          ['a0', 0],
          ['b0', 0],
        ],
        [
          ['a1', 1],
          ['b1', 1],
        ],
      ]);
    });
  });
});
