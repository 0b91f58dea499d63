import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { waitUntil, within } from '../kafka/wait-until';
import type { Guard } from './guard';
import type { Life, Order, Report } from './orders';
import { REQUEST_TIMEOUT_MS, SESSION_TIMEOUT_MS, TRANSACTION_TIMEOUT_MS } from './schedule';
import type { Story } from './story';
import type { WireProxies } from './wire-proxy';

/** ms that an instance has to close; the run waits a little longer for its process to end. */
const CLOSE_WITHIN_MS = 10_000;
const EXIT_WITHIN_MS = CLOSE_WITHIN_MS + 25_000;
/** ms until what failed by itself is started again, as whoever runs it would. */
const RESTART_AFTER_MS = 500;

export interface InstanceOptions {
  readonly name: string;
  readonly application: string;
  /** Static membership and a slot of that name; undefined: neither. */
  readonly instanceId: string | undefined;
  /** The copy of the sources that runs. */
  readonly build: string;
  /** For its state and its log. */
  readonly folder: string;
  readonly standbyReplicas: number;
  readonly threads: number;
  readonly wire: WireProxies;
  readonly guard: Guard;
  readonly story: Story;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One instance through all its lives. */
export class Instance {
  readonly name: string;
  readonly wire: WireProxies;
  readonly stateDirectory: string;
  #child: ChildProcess | undefined;
  #exited: Promise<Exit> = Promise.resolve({ code: null, signal: null });
  #state = 'none';
  /** Whoever ends by itself while this is set is started again. */
  #kept = false;
  #frozen = false;
  #heard: (report: Report) => void = () => undefined;

  constructor(private readonly options: InstanceOptions) {
    this.name = options.name;
    this.wire = options.wire;
    this.stateDirectory = join(options.folder, `state-${options.name}`);
  }

  get alive(): boolean {
    return this.#child !== undefined;
  }

  /** Known in advance only of one with an instance id. */
  get transactionalId(): string | undefined {
    const { application, instanceId } = this.options;
    return instanceId === undefined ? undefined : `${application}-${instanceId}-0`;
  }

  get state(): string {
    return this.#state;
  }

  start(): void {
    if (this.#child !== undefined) return;
    const { application, instanceId, build, folder, wire, name, guard, standbyReplicas, threads } = this.options;
    mkdirSync(this.stateDirectory, { recursive: true });
    const life: Life = {
      ...{ application, brokers: wire.addresses, stateDirectory: this.stateDirectory, instanceId },
      logFile: join(folder, `${name}.log`),
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
      standbyReplicas,
      threads,
      closeWithinMs: CLOSE_WITHIN_MS,
    };
    const worker = join(build, 'scripts', 'chaos', 'worker.js');
    const child = spawn(process.execPath, ['--enable-source-maps', worker, JSON.stringify(life)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    guard.watch(child);
    this.#child = child;
    this.#kept = true;
    this.#state = 'starting';
    child.on('message', (report) => {
      this.#hear(report as Report);
    });
    // A message to a process that has just died.
    child.on('error', () => undefined);
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#child = undefined;
        this.#frozen = false;
        this.#state = 'none';
        resolve({ code, signal });
        if (this.#kept) void this.#startAgain(`ended by itself: ${signal ?? `exit code ${code}`}`);
      });
    });
  }

  /** False: it has no life, or ends. */
  send(order: Order): boolean {
    return this.#child?.send(order, () => undefined) === true;
  }

  /** Sends an order and waits for what it leads to. */
  async obeyed(order: Order, report: Report['kind'], withinMs: number): Promise<boolean> {
    const heard = new Promise<true>((resolve) => {
      this.#heard = ({ kind }) => {
        if (kind === report) resolve(true);
      };
    });
    return this.send(order) && (await within(heard, withinMs)) === true;
  }

  async kill(): Promise<void> {
    this.#kept = false;
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  /** SIGTERM. What it exited with; `tooLate`: not in time, and so it was killed. */
  async terminate(): Promise<Exit | 'tooLate'> {
    this.#kept = false;
    if (this.#child === undefined) return this.#exited;
    this.thaw();
    this.#child.kill('SIGTERM');
    const exit = await within(this.#exited, EXIT_WITHIN_MS);
    if (exit !== undefined) return exit;
    await this.kill();
    return 'tooLate';
  }

  freeze(): boolean {
    this.#frozen = this.#child?.kill('SIGSTOP') === true;
    return this.#frozen;
  }

  thaw(): void {
    if (this.#child?.kill('SIGCONT') === true) this.#frozen = false;
  }

  /** Lets it die at a step. False: it did not come to that step in time; it lives on. */
  async diesAt(order: Extract<Order, { kind: 'atStep' }>, withinMs: number): Promise<boolean> {
    this.#kept = false;
    const exit = this.send(order) ? await within(this.#exited, withinMs) : undefined;
    if (exit?.signal === 'SIGKILL') return true;
    this.send({ kind: 'noStep' });
    if (exit !== undefined) this.options.story.tell(this.name, `ended at another moment: ${exit.signal ?? `exit code ${exit.code}`}`);
    this.#kept = true;
    if (this.#child === undefined) this.start();
    return false;
  }

  /** Lets it stop itself at a step. False: it did not come to that step in time. */
  async stopsAt(order: Extract<Order, { kind: 'atStep' }>, withinMs: number): Promise<boolean> {
    const child = this.#child;
    if (!this.send(order)) return false;
    const stopped = await waitUntil(() => (child?.exitCode !== null || isStopped(child.pid) ? true : undefined), {
      timeoutMs: withinMs,
    });
    this.#frozen = stopped === true && isStopped(child?.pid);
    if (!this.#frozen) this.send({ kind: 'noStep' });
    return this.#frozen;
  }

  /** Has it come so far as to have its tasks, within that time? */
  async runs(withinMs: number): Promise<boolean> {
    const running = await waitUntil(() => (this.#state === 'running' ? true : undefined), { timeoutMs: withinMs });
    return running === true;
  }

  /** Alive and not stopped, whatever was done to it. */
  restore(): void {
    if (this.#frozen) this.thaw();
    this.start();
  }

  #hear(report: Report): void {
    const { story } = this.options;
    switch (report.kind) {
      case 'state':
        if (report.state === 'failed' || report.state === 'degraded') story.tell(this.name, report.state);
        this.#state = report.state;
        break;
      case 'generation':
        story.joined(report.generation);
        break;
      case 'failed':
        story.failed(report.code);
        story.tell(this.name, `failed: ${report.code}: ${report.message.slice(0, 300)}`);
        break;
      default:
    }
    this.#heard(report);
  }

  async #startAgain(why: string): Promise<void> {
    this.options.story.tell(this.name, `${why}; it is started again`);
    await pause(RESTART_AFTER_MS);
    if (this.#kept) this.start();
  }
}

/** By the kernel; elsewhere than on Linux nobody can tell. */
function isStopped(pid: number | undefined): boolean {
  try {
    return /^\d+ \(.*\) T/.test(readFileSync(`/proc/${pid ?? 0}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
