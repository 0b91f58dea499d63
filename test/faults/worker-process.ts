import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Guard } from '../../scripts/chaos/guard';
import { SLOW_MET } from './jobs';
import { Impossible, until } from './until';
import type { AtStep, Life, News } from './worker';

type NewsOf<K extends News['kind']> = Extract<News, { readonly kind: K }>;

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The test's side of a worker. */
export class WorkerProcess {
  private readonly news: News[] = [];
  private readonly child: ChildProcess;
  private end: Exit | undefined;
  /** It is meant to end, or to fail: until then that is an error of the test. */
  private mayEnd = false;

  constructor(
    readonly name: string,
    private readonly life: Life,
    guard: Guard,
  ) {
    this.mayEnd = life.at?.signal === 'SIGKILL';
    this.child = spawn(process.execPath, ['--import', 'tsx', path.join(__dirname, 'worker.ts'), JSON.stringify(life)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    guard.watch(this.child);
    this.child.on('message', (news) => this.news.push(news as News));
    this.child.once('exit', (code, signal) => {
      this.end = { code, signal };
    });
  }

  get exit(): Exit | undefined {
    return this.end;
  }

  told<K extends News['kind']>(kind: K): readonly NewsOf<K>[] {
    return this.news.filter((each): each is NewsOf<K> => each.kind === kind);
  }

  get state(): string | undefined {
    return this.told('state').at(-1)?.state;
  }

  /** Commits of at least one record, from a moment of the wall clock on. */
  committedSince(from: number): readonly NewsOf<'committed'>[] {
    return this.told('committed').filter(({ at, tasks }) => at >= from && tasks.some(({ records }) => records > 0));
  }

  /** How many records that were: those of repartitions count again. */
  recordsSince(from: number): number {
    return this.committedSince(from).reduce((sum, { tasks }) => sum + tasks.reduce((own, { records }) => own + records, 0), 0);
  }

  /** Tasks with such commits. */
  tasksSince(from: number): ReadonlySet<number> {
    const tasks = this.committedSince(from).flatMap((commit) => commit.tasks);
    return new Set(tasks.filter(({ records }) => records > 0).map(({ partition }) => partition));
  }

  /** ms of the longest time between two commits of records of one of these tasks, from a moment of the wall clock on. */
  longestGap(tasks: Iterable<number>, from: number): number {
    const commits = this.committedSince(from);
    const gaps = [...tasks].map((task) => {
      const own = commits.filter((commit) => commit.tasks.some(({ partition, records }) => partition === task && records > 0));
      return longestStep([from, ...own.map(({ at }) => at)]);
    });
    return Math.max(0, ...gaps);
  }

  /** The error it ended with. */
  get failure(): NewsOf<'failed'> | undefined {
    return this.told('failed').at(-1);
  }

  signal(name: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void {
    if (name === 'SIGKILL' || name === 'SIGTERM') this.mayEnd = true;
    this.child.kill(name);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended();
  }

  /** It may end by itself, with an error too. */
  letEnd(): this {
    this.mayEnd = true;
    return this;
  }

  async ended(withinMs = 30_000): Promise<Exit> {
    return until(`worker ${this.name} ends`, withinMs, () => this.end, this.lastWords);
  }

  async until(what: string, withinMs: number, holds: (worker: this) => boolean): Promise<void> {
    await until(
      `worker ${this.name}: ${what}`,
      withinMs,
      () => {
        this.check();
        return holds(this);
      },
      this.lastWords,
    );
  }

  async running(withinMs = 60_000): Promise<this> {
    await this.until('it runs', withinMs, ({ state }) => state === 'running');
    return this;
  }

  /** The next time that it is at this step, it does this to itself. */
  atNext(step: string, signal: AtStep['signal']): void {
    this.mayEnd ||= signal === 'SIGKILL';
    const order: AtStep = { step, nth: 1, signal };
    this.child.send(order);
  }

  /** It has stopped itself at the step that it was told. */
  async stopped(withinMs = 60_000): Promise<void> {
    await this.until('it stopped itself', withinMs, () => this.log.includes('"this is the step"'));
  }

  /** @throws when it has ended although nobody ended it */
  check(): void {
    if (this.end === undefined || this.mayEnd) return;
    throw new Impossible(`worker ${this.name} ended (${JSON.stringify(this.end)}): ${JSON.stringify(this.failure)}`);
  }

  get log(): string {
    // It has none before it has begun.
    return existsSync(this.life.logFile) ? readFileSync(this.life.logFile, 'utf8') : '';
  }

  /** How often it has come to the slow word. */
  get slowMet(): number {
    return this.log.split(`"message":"${SLOW_MET}"`).length - 1;
  }

  /** What happened to it, for whoever looks for the reason of a failed test. */
  story(): string {
    const news = this.news.filter(({ kind }) => kind !== 'committed').map((each) => JSON.stringify({ ...each, at: timeOf(each.at) }));
    const commits = this.committedSince(0).slice(-5);
    const last = commits.map(({ at, tasks }) => `${timeOf(at)} ${tasks.map(({ partition }) => partition).join(',')}`);
    const lines = [...news, ...this.log.trimEnd().split('\n').slice(-40), `last commits of tasks: ${last.join('; ')}`];
    return `--- worker ${this.name} (${JSON.stringify(this.end ?? 'lives')})\n${lines.join('\n')}\n`;
  }

  private readonly lastWords = (): unknown => {
    return { state: this.state, exit: this.end, failure: this.failure, tasks: [...this.tasksSince(Date.now() - 5_000)] };
  };
}

const timeOf = (at: number): string => new Date(at).toISOString().slice(11);

/** Of times in ascending order. */
export function longestStep(times: readonly number[]): number {
  return Math.max(0, ...times.slice(1).map((at, index) => at - times[index]!));
}
