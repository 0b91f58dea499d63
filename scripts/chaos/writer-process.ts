import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { waitUntil } from '../kafka/wait-until';
import type { Guard } from './guard';
import type { WriterOrder, WriterReport } from './orders';
import type { Writing } from './writer';

/** The writer in its process. */
export class WriterProcess {
  readonly #child: ChildProcess;
  #report: WriterReport = { written: {}, repeated: 0, phase: 'writing' };

  constructor(build: string, writing: Writing, guard: Guard) {
    const program = join(build, 'scripts', 'chaos', 'writer.js');
    this.#child = spawn(process.execPath, [program, JSON.stringify(writing)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    guard.watch(this.#child);
    this.#child.on('message', (report) => {
      this.#report = report as WriterReport;
    });
  }

  get report(): WriterReport {
    return this.#report;
  }

  /** False: not through with that within that time. */
  async obeyed(order: WriterOrder, withinMs: number): Promise<boolean> {
    const phase: WriterReport['phase'] = order === 'drain' ? 'drained' : 'ended';
    this.#child.send(order, () => undefined);
    return (await waitUntil(() => (this.#report.phase === phase ? true : undefined), { timeoutMs: withinMs })) === true;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
