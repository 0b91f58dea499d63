/** Folders of tasks on a real disk: what a start finds of them, and what becomes of those that nobody uses. */
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { int64, string } from '../../src/codec/primitives';
import { TaskFolders } from '../../src/commit/task-folders';
import { openLevelBytes } from '../../src/level/level-bytes';
import { keyValueStore } from '../../src/state/definition';
import type { OpenBytes } from '../../src/state/open-bytes';
import { openSlot, type Slot } from '../../src/state/slot';
import { openTaskStores, type TaskStores } from '../../src/state/task-stores';
import { systemClock } from '../../src/time/system-clock';
import { manualClock, type ManualClock } from '../../src/time/manual-clock';
import { CellTable } from '../../src/state/cells';
import { removeTemporaryDirectories, temporaryDirectory } from '../state/temporary-directory';
import { type LoggedLine, recordingLogger, scopeOver } from '../state/test-task';

const CLUSTER = 'cluster';
const TOPIC_ID = 'a'.repeat(32);
const RETENTION_MS = 7 * 86_400_000;
const { shape } = keyValueStore('counts', { key: string, value: int64 });

const opened: string[] = [];
const openBytes: OpenBytes = (directory, options) => {
  opened.push(directory);
  return openLevelBytes(directory, { clock: systemClock, ...options });
};

let clock: ManualClock;
let root: string;
let slot: Slot;
let lines: LoggedLine[];

beforeEach(async () => {
  clock = manualClock();
  root = await temporaryDirectory();
  slot = await takeSlot();
  lines = [];
  opened.length = 0;
});

afterEach(() => slot.release());
afterAll(removeTemporaryDirectories);

const takeSlot = (): Promise<Slot> => openSlot({ stateDirectory: root, applicationId: 'app', openBytes, clock: systemClock });

async function loaded(topicId = TOPIC_ID): Promise<TaskFolders> {
  const folders = new TaskFolders({
    slot,
    openBytes,
    openStores: (task) =>
      openTaskStores({
        shapes: [shape],
        partition: task,
        scope: scopeOver(new CellTable(['counts'])),
        clock,
        openBytes,
        directory: slot.taskDirectory(task),
      }),
    tasks: 8,
    clusterId: () => Promise.resolve(CLUSTER),
    changelogs: () => Promise.resolve(new Map([['counts', { topicId, tombstoneRetentionMs: RETENTION_MS }]])),
    clock,
    logger: recordingLogger(lines),
  });
  await folders.load();
  return folders;
}

/** As a restore leaves it. */
async function write(stores: TaskStores, position: number): Promise<void> {
  const { record, directory } = stores.restorable('counts');
  Object.assign(record, { clusterId: CLUSTER, topicId: TOPIC_ID, position, writtenAt: clock.now() });
  await directory.bytes.write(directory.recordOperations(['counts']));
}

const exists = (folder: string): Promise<boolean> =>
  access(folder).then(
    () => true,
    () => false,
  );

describe('folders of tasks', () => {
  it('that were closed are known at the next start without being opened', async () => {
    const folders = await loaded();
    const stores = await folders.open(3);
    await write(stores, 700);
    expect(folders.held()).toEqual([]);
    await folders.close(stores);
    expect(folders.held()).toEqual([{ task: 3, position: 700, following: false }]);
    await slot.release();
    slot = await takeSlot();
    opened.length = 0;
    expect((await loaded()).held()).toEqual([{ task: 3, position: 700, following: false }]);
    expect(opened).toEqual([]);
  });

  it('that were open when the process died are looked at once, and are then known', async () => {
    const folders = await loaded();
    const stores = await folders.open(3);
    await write(stores, 700);
    await folders.close(stores);
    const again = await folders.open(3);
    await write(again, 900);
    // The process dies: nobody notes anything.
    await again.close();
    opened.length = 0;
    expect((await loaded()).held()).toEqual([{ task: 3, position: 900, following: false }]);
    expect(opened).toEqual([slot.taskDirectory(3)]);
    opened.length = 0;
    expect((await loaded()).held()).toEqual([{ task: 3, position: 900, following: false }]);
    expect(opened).toEqual([]);
  });

  it('of a changelog that was created anew count as empty, and those that are too old, too', async () => {
    const folders = await loaded();
    const stores = await folders.open(1);
    await write(stores, 500);
    await folders.close(stores);
    expect((await loaded('b'.repeat(32))).held()).toEqual([{ task: 1, position: 0, following: false }]);
    await clock.advance(RETENTION_MS / 2 - 1);
    expect((await loaded()).held()).toEqual([{ task: 1, position: 500, following: false }]);
    await clock.advance(2);
    expect((await loaded()).held()).toEqual([{ task: 1, position: 0, following: false }]);
  });

  it('whose memory is ahead of the disk when they are closed are looked at by the next start', async () => {
    const folders = await loaded();
    const stores = await folders.open(2);
    await write(stores, 100);
    stores.committed(new Map([['counts', 150]]));
    await folders.close(stores);
    expect((await loaded()).held()).toEqual([{ task: 2, position: 100, following: false }]);
  });

  it('are opened by one at a time: the next waits for the one before', async () => {
    const folders = await loaded();
    const first = await folders.open(5);
    let second: TaskStores | undefined;
    const opening = folders.open(5).then((stores) => (second = stores));
    await new Promise((resolve) => systemClock.setTimer(20, () => resolve(undefined)));
    expect(second).toBeUndefined();
    await folders.close(first);
    expect(await opening).toBe(second);
    await folders.close(second!);
  });

  it('are removed when nobody has used them for ten minutes, and not before', async () => {
    const folders = await loaded();
    for (const task of [1, 2]) await folders.close(await folders.open(task));
    const used = await folders.open(2);
    await clock.advance(599_000);
    await folders.removeUnused();
    expect(folders.held().map(({ task }) => task)).toEqual([1]);
    await clock.advance(1_000);
    await folders.removeUnused();
    expect(folders.held()).toEqual([]);
    expect([await exists(slot.taskDirectory(1)!), await exists(slot.taskDirectory(2)!)]).toEqual([false, true]);
    expect(lines.map(({ message }) => message)).toContain('the local state of task 1 is removed: it was not used for ten minutes');
    await folders.close(used);
    expect((await loaded()).held().map(({ task }) => task)).toEqual([2]);
  });

  it('that somebody else has open are not removed', async () => {
    const folders = await loaded();
    await folders.close(await folders.open(1));
    const elsewhere = await openBytes(slot.taskDirectory(1)!);
    await clock.advance(600_000);
    await folders.removeUnused();
    await elsewhere.close();
    expect(await exists(slot.taskDirectory(1)!)).toBe(true);
  });

  it('that were being removed when the process died are gone at the next start', async () => {
    const rest = join(slot.directory!, 'removed-task-4');
    await mkdir(rest);
    await writeFile(join(rest, 'CURRENT'), 'x');
    expect((await loaded()).held()).toEqual([]);
    expect(await exists(rest)).toBe(false);
  });

  it('that cannot be looked at are said to be empty, and why', async () => {
    await writeFile(slot.taskDirectory(6)!, 'no folder');
    expect((await loaded()).held()).toEqual([{ task: 6, position: 0, following: false }]);
    expect(lines.map(({ message }) => message).join()).toMatch(/the local state of task 6 cannot be looked at/);
  });

  it('of tasks that the topology does not have are not told of', async () => {
    const folders = await loaded();
    await folders.close(await folders.open(8));
    expect(folders.held()).toEqual([]);
  });
});
