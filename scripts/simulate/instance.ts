import type { Subscription } from 'rxjs';
import { MillraceApp, type RunOptions } from '../../src/app';
import type { Adapters } from '../../src/commit/adapters';
import { checkConfig, type MillraceConfig } from '../../src/config';
import type { Call } from '../../src/memory/call';
import type { FaultAction } from '../../src/memory/faults';
import type { MemoryBroker } from '../../src/memory/memory-broker';
import type { Logger } from '../../src/model/logger';
import type { Topology } from '../../src/task/topology';
import type { Clock } from '../../src/time/clock';
import type { Chance } from './chance';
import { AT_ANY_TIME, type Cut, type CutPlan } from './cuts';
import { type Disk, type DiskFault, READ_FAULTS, WRITE_FAULTS } from './disk';
import { HeldBroker, type Listener } from './held-broker';
import { HeldClock } from './held-clock';
import { refusals } from './refusals';
import { slotOn } from './slot';

export interface InstanceOptions {
  readonly name: string;
  /** How often this name was started before. */
  readonly life: number;
  readonly clock: Clock;
  readonly broker: MemoryBroker;
  readonly disk: Disk;
  readonly chance: Chance;
  readonly cuts: CutPlan;
  readonly config: MillraceConfig;
  readonly topology: Topology;
  readonly runs: RunOptions;
  /** ms, also less than is allowed. */
  readonly transactionTimeout: number;
  readonly listener: Listener;
  /** For the log of the run. */
  readonly say: (what: string) => void;
}

const LONGEST_LINE = 120;
/** Nothing that another attempt would mend. */
const TOPIC_AUTHORIZATION_FAILED = 29;
/** ms, at least: longer than whoever writes tries again. */
const FULL_MS = 1_600;
/** ms, at least: longer than the group waits. */
const ASLEEP_MS = 9_000;
/** ms, less than is allowed: a run has seconds, not hours. */
const PROBING_INTERVAL = 1_500;

/** The one whose turn it is: what runs in a turn follows from one answer, timer or immediate, which belongs to one process. */
let current: Instance | undefined;

export function nobodysTurn(): void {
  current = undefined;
}

function takeTurn(instance: Instance): void {
  current = instance;
}

export function whoseTurn(): Instance | undefined {
  return current;
}

/** A process with an application in it. It can stand still and go on, and die: then nothing of it ever runs again. */
export class Instance {
  error: Error | undefined;
  isOver = false;
  isDead = false;
  private frozen = false;
  private held: (() => void)[] = [];
  private aimed: { readonly action: FaultAction; readonly sleeps: boolean; readonly isGone: boolean } | undefined;
  /** The next offsets are refused for good: their transaction is aborted. */
  private abortsNext = false;
  private diskFault: DiskFault | undefined;
  private readonly broker: HeldBroker;
  private readonly clock: Clock;
  private readonly app: MillraceApp;
  private subscription: Subscription | undefined;

  constructor(private readonly options: InstanceOptions) {
    const { name, clock, disk, config } = options;
    this.clock = new HeldClock(clock, this);
    this.broker = new HeldBroker(options.broker, this.clientId, this, options.listener);
    const openBytes = disk.opener({ clock: this.clock, fault: (isWrite) => this.takeDiskFault(isWrite), isAlive: () => !this.isDead });
    const adapters: Adapters = {
      ...{ clock: this.clock, broker: this.broker, openBytes },
      openSlot: () => slotOn(disk, name, this.clock, openBytes),
    };
    const checked = checkConfig({ ...config, logger: this.logger(), brokers: ['simulated:1'] });
    this.app = new MillraceApp({ ...checked, transactionTimeout: options.transactionTimeout, probingInterval: PROBING_INTERVAL }, () =>
      Promise.resolve(adapters),
    );
  }

  private logger(): Logger {
    const say = (fields: object, message: string): void =>
      this.options.say(`${this.clientId} says: ${message.slice(0, LONGEST_LINE)} ${JSON.stringify(fields).slice(0, LONGEST_LINE)}`);
    return { debug: () => undefined, info: say, warn: say, error: say };
  }

  /** Another one for each life, for the trace. */
  get clientId(): string {
    return `${this.options.name}.${this.options.life}`;
  }

  get isRunning(): boolean {
    return !this.isDead && !this.isOver;
  }

  start(): void {
    this.clock.setImmediate(() => {
      this.subscription = this.app.run(this.options.topology, this.options.runs).subscribe({
        error: (error: Error) => {
          this.error = error;
          this.over(`gave up: ${error.message}`);
        },
        complete: () => this.over('has ended'),
      });
    });
  }

  /** Drains, commits, leaves. @param within ms */
  close(within?: number): void {
    this.clock.setImmediate(() => {
      void this.app.close(within === undefined ? {} : { within }).then(() => this.subscription?.unsubscribe());
    });
  }

  /** What a service outside says after a while; never, if the process has died by then. */
  answerLater(answer: string): Promise<string> {
    return new Promise((resolve) => {
      this.clock.setTimer(this.options.chance.below(400), () => resolve(answer));
    });
  }

  removeFolder(folder: string): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setImmediate(() => {
        this.options.disk.remove(folder);
        resolve();
      });
    });
  }

  private over(how: string): void {
    if (!this.isRunning) return;
    this.isOver = true;
    this.options.say(`${this.clientId} ${how}`);
  }

  // ---- what the clock and the broker of the process ask

  /** Lets `work` happen in a turn of this process; never, when it has died, and later, while it stands still. */
  turn(work: () => void): void {
    if (this.isDead) return;
    if (this.frozen) {
      this.held.push(work);
      return;
    }
    takeTurn(this);
    work();
  }

  get standsStill(): boolean {
    return this.frozen;
  }

  // ---- what happens at an await

  at(site: number, settled: unknown): void {
    if (this.isDead) return;
    const { cuts, chance } = this.options;
    const cut = cuts.at(site);
    if (cut === undefined) return;
    const now = !isThenable(settled) || chance.below(2) === 0;
    const strike = (): void => {
      if (this.isDead || (cuts.isOver && !AT_ANY_TIME.has(cut))) return;
      this.options.say(`${this.clientId} ${cut} ${now ? 'before' : 'after'} await ${site}`);
      this.suffer(cut);
    };
    // What was asked is struck while it is under way.
    if (now || cut === 'lost' || cut === 'asleep' || cut === 'late' || cut === 'slow' || cut === 'broken' || cut === 'refused') strike();
    // The first to hear of it: comes before what waits for it.
    else settled.then(strike, strike);
  }

  private suffer(cut: Cut): void {
    const { chance } = this.options;
    switch (cut) {
      case 'crash':
        this.die();
        break;
      case 'freeze':
        this.freeze(3_000 + chance.below(chance.below(4) === 0 ? 40_000 : 12_000));
        break;
      case 'stall':
        this.freeze(1 + chance.below(chance.below(2) === 0 ? 20 : 800));
        break;
      case 'lost':
        this.aim({ kind: 'lose answer', then: chance.below(3) === 0 ? 'hang' : 'disconnect' });
        break;
      case 'asleep':
        this.aim({ kind: 'lose answer', then: 'disconnect' }, true);
        break;
      case 'late':
        this.aim(
          chance.below(3) === 0
            ? { kind: 'hang', executeAfterMs: chance.below(25_000) }
            : { kind: 'duplicate later', afterMs: chance.below(chance.below(2) === 0 ? 50 : 3_000) },
        );
        break;
      case 'slow':
        this.aim({ kind: 'delay', ms: chance.below(chance.below(2) === 0 ? 300 : 9_000) });
        break;
      case 'broken':
        this.aim({ kind: 'fail before' });
        break;
      case 'refused':
        this.aim({ kind: 'answer', errorCode: 0 });
        break;
      case 'disk':
        this.diskFault = chance.oneOf(WRITE_FAULTS);
        break;
      case 'unread':
        this.diskFault = chance.oneOf(READ_FAULTS);
        break;
      case 'full':
        this.options.disk.fill(FULL_MS + chance.below(2 * FULL_MS), this.clock);
    }
  }

  /** Nothing of it ever runs again. What it has sent may still arrive. */
  die(): void {
    if (this.isDead) return;
    this.isDead = true;
    this.held = [];
    const { clock, chance } = this.options;
    const linger = chance.below(2) === 0 ? 0 : chance.below(20);
    clock.setTimer(linger, () => this.broker.close());
  }

  private freeze(ms: number): void {
    if (this.frozen) return;
    this.frozen = true;
    this.options.clock.setTimer(ms, () => {
      this.frozen = false;
      const { held } = this;
      this.held = [];
      for (const work of held) this.clock.setImmediate(work);
    });
  }

  private aim(action: FaultAction, sleeps = false): void {
    this.aimed = { action, sleeps, isGone: this.broker.lastSent === undefined || this.broker.hasArrived };
  }

  /** For the broker's door: what happens to this request of this process. */
  strikes(call: Call): FaultAction | undefined {
    if (call.api === 'txnOffsetCommit' && this.abortsNext) {
      this.abortsNext = false;
      return { kind: 'answer', errorCode: TOPIC_AUTHORIZATION_FAILED };
    }
    const isLastSent = this.broker.isLastSent(call);
    if (isLastSent) this.broker.hasArrived = true;
    const { aimed } = this;
    if (aimed === undefined || !(aimed.isGone || isLastSent)) return undefined;
    const codes = refusals[call.api];
    if (aimed.action.kind === 'answer' && codes === undefined) return undefined;
    this.aimed = undefined;
    // Else there would hardly be a transaction that is aborted, nor one of which a batch comes late.
    const mayAbort = aimed.action.kind === 'answer' || (aimed.action.kind === 'duplicate later' && call.api === 'produce');
    if (mayAbort && this.options.chance.below(2) === 0) this.abortsNext = true;
    if (aimed.sleeps) this.freeze(ASLEEP_MS + this.options.chance.below(2 * ASLEEP_MS));
    return aimed.action.kind === 'answer' ? { kind: 'answer', errorCode: this.options.chance.oneOf(codes!) } : aimed.action;
  }

  private takeDiskFault(isWrite: boolean): DiskFault | undefined {
    const fault = this.diskFault;
    if (fault === undefined || !(isWrite ? WRITE_FAULTS : READ_FAULTS).includes(fault)) return undefined;
    this.diskFault = undefined;
    return fault;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';
}
