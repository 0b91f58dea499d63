import { access, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { int64, string } from '../../src/codec/primitives';
import { MillraceError } from '../../src/errors/millrace-error';
import { openLevelBytes } from '../../src/level/level-bytes';
import { keyValueStore, windowStore } from '../../src/state/definition';
import type { KeyValueRuntime } from '../../src/state/handle';
import type { OpenBytes } from '../../src/state/open-bytes';
import { systemClock } from '../../src/time/system-clock';
import { removeTemporaryDirectories, temporaryDirectory } from './temporary-directory';
import { TestTask } from './test-task';

afterAll(removeTemporaryDirectories);

const balances = keyValueStore('balances', { key: string, value: int64 });
const counts = windowStore('counts', { key: string, value: int64, windows: { size: 10 }, retention: 1_000 });
const openBytes: OpenBytes = (folder, options) => openLevelBytes(folder, { clock: systemClock, ...options });
const balance = (task: TestTask): KeyValueRuntime<string, number> => task.keyValue('balances');

async function inFolder(directory: string, open: OpenBytes = openBytes): Promise<TestTask> {
  const task = new TestTask([balances.shape, counts.shape], { directory, openBytes: open });
  await task.start();
  return task;
}

async function stopped(task: TestTask): Promise<void> {
  await task.stores.flush();
  await task.stores.close();
}

describe('a task’s folder', () => {
  it('holds all its persistent stores, which come back from it', async () => {
    const task = await inFolder(await temporaryDirectory());
    for (let i = 0; i < 100; i++) {
      balance(task).write(`k${i}`, i, i);
      task.window<string, number>('counts').write(`k${i}`, 20, 1_000 - i, i);
    }
    task.commit();
    await stopped(task);
    await task.start();
    expect(task.changelogs.map(({ reads }) => reads)).toEqual([[{ from: 100, until: 101 }], [{ from: 100, until: 101 }]]);
    const found = Array.from({ length: 100 }, (_, i) => [
      balance(task).find(`k${i}`)?.value,
      task.window<string, number>('counts').find(`k${i}`, 20)?.value,
    ]);
    expect(found).toEqual(Array.from({ length: 100 }, (_, i) => [i, 1_000 - i]));
    await task.stores.close();
  });

  it('that is damaged is removed and rebuilt from the changelogs, with a line that says so', async () => {
    const directory = await temporaryDirectory();
    const task = await inFolder(directory);
    balance(task).write('a', 1, 1);
    task.commit();
    await stopped(task);
    const manifest = (await readdir(directory)).find((name) => name.startsWith('MANIFEST'))!;
    await writeFile(join(directory, manifest), 'nonsense');
    await task.start();
    expect(balance(task).find('a')?.value).toBe(1);
    expect(task.lines).toEqual([
      { level: 'warn', message: expect.stringContaining('is rebuilt from its changelogs: STATE_CORRUPTED') as string },
    ]);
    await task.stores.close();
  });

  it('that was deleted is rebuilt from the changelogs', async () => {
    const task = await inFolder(await temporaryDirectory());
    balance(task).write('a', 1, 1);
    task.commit();
    await stopped(task);
    const again = await inFolder(await temporaryDirectory());
    await again.stores.close();
    Object.assign(again, { changelogs: task.changelogs });
    await again.start();
    expect(balance(again).find('a')?.value).toBe(1);
    await again.stores.close();
  });

  it('whose bytes turn out damaged while running is removed when it closes, so that the next start rebuilds it', async () => {
    const directory = await temporaryDirectory();
    const damaging: OpenBytes = async (folder, options) => {
      const bytes = await openBytes(folder, options);
      bytes.get = () => {
        throw new MillraceError('STATE_CORRUPTED', 'a block’s checksum does not hold');
      };
      return bytes;
    };
    const task = await inFolder(directory);
    balance(task).write('a', 1, 1);
    task.commit();
    await stopped(task);
    const damaged = new TestTask(task.shapes, { directory, openBytes: damaging });
    Object.assign(damaged, { changelogs: task.changelogs });
    await damaged.start();
    expect(() => balance(damaged).find('a')).toThrow(/STATE_CORRUPTED/);
    await damaged.stores.close();
    await expect(access(directory)).rejects.toThrow('ENOENT');
    await task.start();
    expect(balance(task).find('a')?.value).toBe(1);
    await task.stores.close();
  });

  it.each(['STATE_CORRUPTED', 'STATE_IO'] as const)('that fails with %s while it is opened is let go of', async (code) => {
    const directory = await temporaryDirectory();
    const task = await inFolder(directory);
    balance(task).write('a', 1, 1);
    task.commit();
    await stopped(task);
    for (const nth of [1, 2, 3]) {
      const failing: OpenBytes = async (folder, options) => {
        const bytes = await openBytes(folder, options);
        const read = bytes.read.bind(bytes);
        let reads = 0;
        bytes.read = (...args) => (++reads === nth ? Promise.reject(new MillraceError(code, 'no')) : read(...args));
        return bytes;
      };
      const failed = new TestTask(task.shapes, { directory, openBytes: failing });
      Object.assign(failed, { changelogs: task.changelogs });
      // What is found corrupted before anything is open is rebuilt at once.
      await failed.start().then(
        () => failed.stores.close(),
        (error: unknown) => expect(error).toMatchObject({ code }),
      );
    }
    await task.start();
    expect(balance(task).find('a')?.value).toBe(1);
    await task.stores.close();
  });

  it('is not made for a task without persistent stores', async () => {
    const directory = join(await temporaryDirectory(), 'task-0');
    const task = new TestTask([{ ...balances.shape, persistent: false }], { directory, openBytes });
    await task.start();
    await task.stores.close();
    await expect(access(directory)).rejects.toThrow('ENOENT');
  });
});
