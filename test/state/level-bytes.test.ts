import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { openLevelBytes } from '../../src/level/level-bytes';
import { silentLogger } from '../../src/model/logger';
import { delay } from '../../src/time/clock';
import { manualClock } from '../../src/time/manual-clock';
import { systemClock } from '../../src/time/system-clock';
import { recordingLogger, type LoggedLine } from './test-task';
import { removeTemporaryDirectories, temporaryDirectory } from './temporary-directory';

afterAll(removeTemporaryDirectories);

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Holds the folder's lock in another process until it is killed. */
async function lockedByProcess(directory: string): Promise<{ kill: () => void }> {
  const script = `
    const { ClassicLevel } = require(${JSON.stringify(require.resolve('classic-level'))});
    new ClassicLevel(process.argv[1]).open().then(() => { console.log('open'); setInterval(() => undefined, 1000); });`;
  const child = spawn(process.execPath, ['-e', script, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', () => reject(new Error('the other process ended')));
  });
  return { kill: () => child.kill('SIGKILL') };
}

describe('LevelDB behind the state port', () => {
  it('S5 waits for a folder that a dying process holds, says so, and has it', async () => {
    const directory = await temporaryDirectory();
    const other = await lockedByProcess(directory);
    const lines: LoggedLine[] = [];
    const opening = openLevelBytes(directory, { clock: systemClock, logger: recordingLogger(lines) });
    while (lines.length === 0) await delay(systemClock, 1);
    other.kill();
    const bytes = await opening;
    await bytes.write([{ type: 'put', key: Buffer.from('a'), value: Buffer.from('1') }]);
    await bytes.close();
    expect(lines.map(({ message }) => message)).toEqual([expect.stringContaining('waiting for it')]);
  });

  it('S5 gives up after the given time with an error that names the folder', async () => {
    const directory = await temporaryDirectory();
    const first = await openLevelBytes(directory, { clock: systemClock });
    const clock = manualClock();
    let outcome: unknown;
    const second = openLevelBytes(directory, { clock }).catch((error: unknown) => (outcome = error));
    while (outcome === undefined && clock.monotonic() < 20_000) await clock.advance(50);
    await second;
    expect(outcome).toMatchObject({ code: 'SLOT_IN_USE', message: expect.stringContaining(directory) as string });
    expect(clock.monotonic()).toBeGreaterThanOrEqual(5_000);
    await first.close();
  });

  it('does not wait when it is told not to', async () => {
    const directory = await temporaryDirectory();
    const first = await openLevelBytes(directory, { clock: systemClock });
    await expect(openLevelBytes(directory, { clock: manualClock(), waitMs: 0 })).rejects.toMatchObject({ code: 'SLOT_IN_USE' });
    await first.close();
  });

  it('names the folder of a database that is damaged', async () => {
    const directory = await temporaryDirectory();
    const bytes = await openLevelBytes(directory, { clock: systemClock });
    await bytes.write([{ type: 'put', key: Buffer.from('a'), value: Buffer.from('1') }]);
    await bytes.close();
    const manifest = (await readdir(directory)).find((name) => name.startsWith('MANIFEST'))!;
    await writeFile(join(directory, manifest), 'nonsense');
    await expect(openLevelBytes(directory, { clock: systemClock })).rejects.toMatchObject({
      code: 'STATE_CORRUPTED',
      message: expect.stringContaining(directory) as string,
    });
  });

  it('says that a folder cannot be made', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'file'), '');
    await expect(openLevelBytes(join(directory, 'file', 'folder'), { clock: systemClock, logger: silentLogger })).rejects.toMatchObject({
      code: 'STATE_IO',
    });
  });

  it('fails batches behind one that failed, and takes later ones', async () => {
    const bytes = await openLevelBytes(await temporaryDirectory(), { clock: systemClock });
    const put = (key: string): ReturnType<typeof bytes.write> =>
      bytes.write([{ type: 'put', key: Buffer.from(key), value: Buffer.from('') }]);
    const original = ClassicLevel.prototype.batch;
    let batches = 0;
    const spy = jest.spyOn(ClassicLevel.prototype, 'batch').mockImplementation(function (this: ClassicLevel) {
      const batch = original.call(this);
      if (++batches === 2) batch.write = () => Promise.reject(new Error('IO error: No space left on device'));
      return batch as never;
    });
    const results = await Promise.allSettled([put('a'), put('b'), put('c')]);
    spy.mockRestore();
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(results[1]).toMatchObject({ reason: { code: 'STATE_IO', retryable: true } });
    await put('d');
    const found = ['a', 'b', 'c', 'd'].map((key) => bytes.get(Buffer.from(key)) !== undefined);
    expect(found).toEqual([true, false, false, true]);
    await bytes.close();
  });
});
