import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryLock, waitForLock } from '../../../scripts/kafka/exclusive-lock';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-lock-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Another process that holds the lock. */
async function holder(): Promise<{ kill(): Promise<void> }> {
  const source = require.resolve('../../../scripts/kafka/exclusive-lock.ts');
  const script = `
    require('tsx/cjs');
    require(${JSON.stringify(source)}).tryLock(${JSON.stringify(folder)}).then((lock) => console.log(lock !== undefined));
    setInterval(() => {}, 1_000_000);
  `;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = await new Promise<string>((resolve) => child.stdout.once('data', (line: Buffer) => resolve(line.toString().trim())));
  if (said !== 'true') throw new Error('the holder did not get the lock');
  const gone = new Promise((resolve) => child.once('exit', resolve));
  return {
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

describe('a lock', () => {
  it('is held once within a process', async () => {
    const lock = await tryLock(folder);
    await expect(tryLock(folder)).resolves.toBeUndefined();
    await lock!.release();
    const next = await tryLock(folder);
    expect(next).toBeDefined();
    await next!.release();
  });

  it('is free again when its holder is killed', async () => {
    const { kill } = await holder();
    await expect(tryLock(folder)).resolves.toBeUndefined();
    await kill();
    const lock = await tryLock(folder);
    expect(lock).toBeDefined();
    await lock!.release();
  }, 30_000);

  it('can be waited for', async () => {
    const first = await tryLock(folder);
    const second = await waitForLock(folder, { timeoutMs: 30_000, onWait: () => void first!.release() });
    expect(second).toBeDefined();
    await second!.release();
  });

  it('is not waited for without end', async () => {
    const first = await tryLock(folder);
    await expect(waitForLock(folder, { timeoutMs: 0, onWait: () => {} })).resolves.toBeUndefined();
    await first!.release();
  });
});
