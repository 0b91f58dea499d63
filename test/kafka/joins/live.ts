import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { JoiningLife } from './worker';

const children = new Set<ChildProcess>();

export function killAll(): void {
  for (const child of children) child.kill('SIGKILL');
}

export interface LivingWorker {
  /** Settles at the nth committed transaction, or when the worker has ended. */
  committed(times: number): Promise<void>;
  kill(): Promise<void>;
  readonly ended: Promise<number | null>;
}

/** An instance in a process of its own. */
export function live(life: JoiningLife): LivingWorker {
  const worker = path.join(__dirname, 'worker.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', worker, JSON.stringify(life)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.add(child);
  let commits = 0;
  let told = (): void => undefined;
  child.on('message', () => {
    commits++;
    told();
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      children.delete(child);
      resolve(code);
    });
  });
  const committed = (times: number): Promise<void> =>
    new Promise((resolve) => {
      told = () => {
        if (commits >= times) resolve();
      };
      told();
      void ended.then(() => {
        resolve();
      });
    });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  return { committed, kill, ended };
}
