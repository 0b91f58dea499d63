import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { InstanceLife, InstanceNews } from './instance';

type NewsOf<K extends InstanceNews['kind']> = Extract<InstanceNews, { readonly kind: K }>;

const POLL_MS = 20;

/** An instance in a process of its own, and what it has told. */
export class InstanceProcess {
  private readonly news: InstanceNews[] = [];
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;

  constructor(
    readonly name: string,
    life: InstanceLife,
  ) {
    this.child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'instance.ts'), JSON.stringify(life)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.child.on('message', (news) => this.news.push(news as InstanceNews));
    this.exited = once(this.child, 'exit');
  }

  told<K extends InstanceNews['kind']>(kind: K): readonly NewsOf<K>[] {
    return this.news.filter((each): each is NewsOf<K> => each.kind === kind);
  }

  /** Records of committed transactions. */
  get processed(): number {
    return sum(this.told('committed').flatMap(({ tasks }) => tasks.map(({ records }) => records)));
  }

  /** Waits until it has told so, or ends with an error after `withinMs`. */
  async until(what: string, holds: (told: this) => boolean, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!holds(this)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`instance ${this.name} ended; ${what} was waited for`);
      if (performance.now() > deadline) throw new Error(`instance ${this.name}: not within ${withinMs} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.child.kill(signal);
    await this.exited;
  }
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
