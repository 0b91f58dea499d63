import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Build } from './build';
import type { Order } from './order';
import type { SeedResult } from './seed-result';

export interface SeedReport extends SeedResult {
  /** The hash of a second run, where there was one. */
  readonly again?: string;
}

export interface Seeds {
  readonly orders: readonly Order[];
  /** False: no more of them. */
  readonly each: (report: SeedReport) => boolean;
}

/** Runs seeds over a build, in as many processes as there are cores. @throws when one of them ends before it is through */
export async function runSeeds({ folder }: Build, { orders, each }: Seeds): Promise<void> {
  const processes = Math.min(orders.length, availableParallelism());
  const workers = Array.from({ length: processes }, (_, at) => worker(orders.filter((_order, number) => number % processes === at)));
  try {
    await Promise.all(workers.map(({ done }) => done));
  } finally {
    for (const { stop } of workers) stop();
  }

  function worker(some: readonly Order[]): { done: Promise<void>; stop: () => void } {
    const child = spawn(process.execPath, ['--enable-source-maps', join(folder, 'scripts', 'simulate', 'worker.js')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    // It may end before it has read all of them.
    child.stdin.on('error', () => undefined);
    child.stdin.end(some.map((order) => `${JSON.stringify(order)}\n`).join(''));
    let isStopped = false;
    const stop = (): void => {
      isStopped = true;
      child.kill();
    };
    const lines = createInterface(child.stdout);
    lines.on('line', (line) => {
      if (isStopped || each(JSON.parse(line) as SeedReport)) return;
      for (const other of workers) other.stop();
    });
    const done = new Promise<void>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        if (code === 0 || isStopped) resolve();
        else reject(new Error(`a process of the simulation has ended with ${code ?? signal}`));
      });
    });
    return { done, stop };
  }
}
