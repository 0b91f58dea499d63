import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GuardedProcess, lastLines, spawnGuarded } from '../../../scripts/kafka/guarded-process';
import { waitUntil } from '../../../scripts/kafka/wait-until';

let cwd: string;
let logFile: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'millrace-guarded-'));
  logFile = join(cwd, 'log');
});

afterEach(() => {
  rmSync(cwd, { recursive: true });
});

const guarded = (...command: string[]): Promise<GuardedProcess> => spawnGuarded(command, { cwd, logFile });

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a guarded process', () => {
  it('has the id of the program, and its output in the log', async () => {
    const program = await guarded('sh', '-c', 'echo "I am $$"; exit 3');
    await expect(program.exited).resolves.toEqual({ code: 3, signal: null });
    expect(readFileSync(logFile, 'utf8')).toBe(`I am ${program.pid}\n`);
  });

  it('ends at SIGTERM', async () => {
    const program = await guarded('sleep', '300');
    await expect(program.stop(60_000)).resolves.toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('is killed when it does not end at SIGTERM', async () => {
    const program = await guarded('sh', '-c', 'trap "" TERM; echo deaf; while :; do sleep 0.05; done');
    await waitUntil(() => (lastLines(logFile, 1) === 'deaf' ? true : undefined), { timeoutMs: 10_000, everyMs: 10 });
    await expect(program.stop(50)).resolves.toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('that cannot be started ends with code 127', async () => {
    const program = await guarded(join(cwd, 'no-such-program'));
    await expect(program.exited).resolves.toEqual({ code: 127, signal: null });
    expect(lastLines(logFile, 1)).toContain('no-such-program');
  });

  it('does not outlive its starter, not even when that is killed', async () => {
    const source = require.resolve('../../../scripts/kafka/guarded-process.ts');
    const script = `
      require('tsx/cjs');
      const { spawnGuarded } = require(${JSON.stringify(source)});
      spawnGuarded(['sleep', '300'], { cwd: '.', logFile: ${JSON.stringify(logFile)} }).then(({ pid }) => console.log(pid));
    `;
    const starter = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) => {
      starter.stdout.once('data', (line: Buffer) => {
        resolve(Number(line.toString()));
      });
    });
    expect(isAlive(pid)).toBe(true);
    starter.kill('SIGKILL');
    const gone = await waitUntil(() => (isAlive(pid) ? undefined : true), { timeoutMs: 15_000, everyMs: 10 });
    expect(gone).toBe(true);
  }, 30_000);
});
