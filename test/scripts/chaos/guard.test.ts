import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { waitUntil } from '../../../scripts/kafka/wait-until';

const ROOT = join(__dirname, '..', '..', '..');

/** Starts a guard and a process that is stopped, says its id, and waits. */
const STARTER = `
const { startGuard } = require('./scripts/chaos/guard');
const { spawn } = require('node:child_process');
const guard = startGuard();
const brief = spawn('/bin/sh', ['-c', 'exit 0']);
guard.watch(brief);
const sleeper = spawn('/bin/sh', ['-c', 'sleep 600'], { stdio: 'ignore' });
guard.watch(sleeper);
sleeper.kill('SIGSTOP');
brief.once('exit', () => setTimeout(() => process.stdout.write(String(sleeper.pid) + '\\n'), 100));
setInterval(() => {}, 1000);
`;

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the guard of a chaos run', () => {
  it('ends a process that is stopped when whoever stopped it was killed', async () => {
    const starter = spawn(process.execPath, ['--import', 'tsx', '-e', STARTER], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) => starter.stdout.once('data', (said: Buffer) => resolve(Number(said.toString()))));
    expect(isThere(pid)).toBe(true);
    starter.kill('SIGKILL');
    // A zombie, if nobody asks for its exit code, is still there for the kernel.
    const gone = await waitUntil(() => (isThere(pid) ? undefined : true), { timeoutMs: 10_000 });
    if (gone !== true) execFile('/bin/kill', ['-9', String(pid)]);
    expect(gone).toBe(true);
  });
});
