import { type ChildProcess, spawn } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openLevelBytes } from '../../src/level/level-bytes';
import type { OpenBytes } from '../../src/state/open-bytes';
import { memorySlot, openSlot, type Slot, type SlotOptions } from '../../src/state/slot';
import { manualClock, type ManualClock } from '../../src/time/manual-clock';
import { systemClock } from '../../src/time/system-clock';
import { type LoggedLine, recordingLogger } from './test-task';
import { removeTemporaryDirectories, temporaryDirectory } from './temporary-directory';

afterAll(removeTemporaryDirectories);

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const openBytes: OpenBytes = (directory, options) => openLevelBytes(directory, { clock: systemClock, ...options });

async function optionsIn(stateDirectory: string, more: Partial<SlotOptions> = {}): Promise<SlotOptions> {
  return { stateDirectory, applicationId: 'app', openBytes, clock: systemClock, ...more };
}

/** Lets time pass on a clock driven by hand until the promise has settled. */
async function passing<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let settled = false;
  const done = (): void => void (settled = true);
  promise.then(done, done);
  while (!settled) await clock.advance(50);
  return promise;
}

/** A slot held by another process, until that is killed. */
async function heldByProcess(folder: string): Promise<{ readonly pid: number; kill: () => Promise<void> }> {
  await mkdir(folder, { recursive: true });
  const script = `
    const { ClassicLevel } = require(${JSON.stringify(require.resolve('classic-level'))});
    new ClassicLevel(process.argv[1]).open().then(() => { console.log('open'); setInterval(() => undefined, 1000); });`;
  const child = spawn(process.execPath, ['-e', script, join(folder, 'lock')], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  await writeFile(join(folder, 'pid'), String(child.pid));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    pid: child.pid!,
    kill: () => {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

describe('a slot', () => {
  it('has the same identity and folder whenever it is taken again', async () => {
    const options = await optionsIn(await temporaryDirectory());
    const first = await openSlot(options);
    expect(first.id).toMatch(/^[0-9a-f]{16}$/);
    expect(first.directory).toBe(join(options.stateDirectory, 'app', 'slot-0'));
    expect(first.taskDirectory(3)).toBe(join(first.directory!, 'task-3'));
    await first.release();
    const again = await openSlot(options);
    expect([again.id, again.directory]).toEqual([first.id, first.directory]);
    await again.release();
  });

  it('of a second instance in the same process is the next one, at once', async () => {
    const clock = manualClock();
    const options = await optionsIn(await temporaryDirectory(), { clock });
    const slots: Slot[] = [await openSlot(options), await openSlot(options), await openSlot(options)];
    expect(slots.map(({ directory }) => directory!.slice(-6))).toEqual(['slot-0', 'slot-1', 'slot-2']);
    expect(new Set(slots.map(({ id }) => id)).size).toBe(3);
    expect(clock.monotonic()).toBe(0);
    await slots[1]!.release();
    const next = await openSlot(options);
    expect(next.directory).toBe(slots[1]!.directory);
    for (const slot of [slots[0]!, slots[2]!, next]) await slot.release();
  });

  it('S5 of a process that is dying is waited for, so that the successor has its identity', async () => {
    const options = await optionsIn(await temporaryDirectory());
    const before = await openSlot(options);
    await before.release();
    const other = await heldByProcess(before.directory!);
    const lines: LoggedLine[] = [];
    const opening = openSlot({ ...options, logger: recordingLogger(lines) });
    while (lines.length === 0) await new Promise((resolve) => systemClock.setImmediate(() => resolve(undefined)));
    await other.kill();
    const slot = await opening;
    expect([slot.id, slot.directory]).toEqual([before.id, before.directory]);
    await slot.release();
  });

  it('of a process that goes on living is left to it after 5 s, and a new one is made', async () => {
    const clock = manualClock();
    const options = await optionsIn(await temporaryDirectory(), { clock });
    const other = await heldByProcess(join(options.stateDirectory, 'app', 'slot-0'));
    const slot = await passing(clock, openSlot(options));
    expect(slot.directory).toBe(join(options.stateDirectory, 'app', 'slot-1'));
    expect(clock.monotonic()).toBeGreaterThanOrEqual(5_000);
    await slot.release();
    await other.kill();
  });

  it('with a name is that folder, and its name is the identity', async () => {
    const options = await optionsIn(await temporaryDirectory(), { instanceId: 'blue' });
    const slot = await openSlot(options);
    expect([slot.id, slot.directory]).toEqual(['blue', join(options.stateDirectory, 'app', 'blue')]);
    await slot.release();
  });

  it('with a name that another process has is an error naming process and folder, after 5 s', async () => {
    const clock = manualClock();
    const options = await optionsIn(await temporaryDirectory(), { clock, instanceId: 'blue' });
    const folder = join(options.stateDirectory, 'app', 'blue');
    const other = await heldByProcess(folder);
    const error = await passing(clock, openSlot(options)).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'SLOT_IN_USE', where: { option: 'instanceId' } });
    expect((error as Error).message).toContain(`process ${other.pid} holds ${folder}`);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(5_000);
    await other.kill();
  });

  it('whose identity is damaged gets a new one', async () => {
    const options = await optionsIn(await temporaryDirectory());
    const before = await openSlot(options);
    await before.release();
    await writeFile(join(before.directory!, 'lock', 'CURRENT'), 'nonsense\n');
    const slot = await openSlot(options);
    expect(slot.directory).toBe(before.directory);
    expect(slot.id).not.toBe(before.id);
    await slot.release();
  });

  it('leaves no process id behind when it is released, and may be released twice', async () => {
    const slot = await openSlot(await optionsIn(await temporaryDirectory()));
    await access(join(slot.directory!, 'pid'));
    await Promise.all([slot.release(), slot.release()]);
    await expect(access(join(slot.directory!, 'pid'))).rejects.toThrow('ENOENT');
  });

  it.each(['..', 'a/b', ''])('is not made for the name %p', async (instanceId) => {
    const options = await optionsIn(await temporaryDirectory(), { instanceId });
    await expect(openSlot(options)).rejects.toMatchObject({ code: 'CONFIG' });
  });

  it('in memory has an identity and nothing else', async () => {
    const slot = memorySlot(manualClock());
    expect(slot.id).toMatch(/^[0-9a-f]{16}$/);
    expect([slot.directory, slot.taskDirectory(1)]).toEqual([undefined, undefined]);
    await slot.release();
  });
});
