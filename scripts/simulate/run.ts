import type { RunOptions } from '../../src/app';
import type { MillraceConfig } from '../../src/config';
import type { Call } from '../../src/memory/call';
import type { FaultAction } from '../../src/memory/faults';
import { memoryBroker, type MemoryBroker } from '../../src/memory/memory-broker';
import type { Clock } from '../../src/time/clock';
import { Acknowledged } from './acknowledged';
import { Chance } from './chance';
import { CutPlan, type SiteCount } from './cuts';
import { Disk } from './disk';
import { Instance, nobodysTurn } from './instance';
import { Inputs } from './inputs';
import { committedRecords } from './log';
import { Owners } from './owners';
import { APP, type Program, type Round } from './program';
import { programs } from './programs/all';
import { restartNumbers } from './programs/inputs';
import { Schedule } from './schedule';
import { Progress } from './progress';
import { stateDifferences } from './state';
import { Trace } from './trace';

export interface SeedResult {
  readonly seed: number;
  readonly program: string;
  /** What is not as it must be; empty: it is. */
  readonly violations: readonly string[];
  readonly hash: string;
  readonly requests: number;
  /** ms of virtual time. */
  readonly time: number;
  readonly sites: readonly (readonly [site: number, count: SiteCount])[];
  /** What happened, in order. */
  readonly story: readonly string[];
  /** Codes of what instances gave up for. */
  readonly gaveUp: readonly string[];
}

const TIMES = { sessionTimeout: 6_000, heartbeatInterval: 500, requestTimeout: 20_000, transactionTimeout: 25_000 };
/** ms in which everything must have come to rest once nothing goes wrong any more. */
const REST_WITHIN = 240_000;
/** ms between two looks at whether it has. */
const LOOK = 100;
const QUIET = 2_500;
/** ms after which every wall clock timer of the programs has fired. */
const ALL_TIMERS = 15_000;
const MOST_INSTANCES = 3;
const LAST_ROUND = 1_000;
/** ms after which global tables have what is written. */
const FOLLOWED = 2_000;

/** What ends a run at once. */
class Violation extends Error {}

interface Machine {
  readonly disk: Disk;
  lives: number;
  instance: Instance;
}

/** One run: instances, broker, clock, chance and faults in this process; the seed decides everything. */
class Run {
  readonly story: string[] = [];
  readonly violations: string[] = [];
  readonly gaveUp: string[] = [];
  readonly trace = new Trace();
  readonly program: Program;
  readonly cuts: CutPlan;
  readonly schedule: Schedule;
  private readonly chance: Chance;
  private readonly partitions: number;
  private readonly config: Partial<MillraceConfig>;
  private readonly clock: Clock;
  private readonly broker: MemoryBroker;
  private readonly owners: Owners;
  private readonly inputs: Inputs;
  private readonly progress: Progress;
  private readonly machines = new Map<string, Machine>();
  private struck: FaultAction | undefined;

  constructor(seed: number) {
    const chance = new Chance(seed);
    this.chance = chance;
    this.schedule = new Schedule(new Chance(seed ^ 0x51ed27));
    this.schedule.beforeTurn = () => {
      nobodysTurn();
      if (this.violations.length > 0) throw new Violation();
    };
    this.program = programs[seed % programs.length]!;
    this.partitions = 2 + chance.below(3);
    // Without a cache entries are read from disk again and again.
    this.config = { cacheBytes: chance.below(2) * 1_000_000, commitInterval: chance.oneOf([20, 100, 400]) };
    this.cuts = new CutPlan(new Chance(seed ^ 0x7c0ffee), () => this.schedule.time, chance.oneOf([0.3, 1, 1, 3]));
    this.clock = this.schedule.clock();
    const nodes = 1 + chance.below(3);
    this.broker = memoryBroker({
      clock: this.clock,
      brokers: nodes,
      cutsBatches: chance.below(2) === 0,
      latencyMs: () => chance.below(5),
    });
    this.inputs = new Inputs(this.broker, this.schedule.clock(), nodes, this.violated);
    this.progress = new Progress(this.broker, this.clock, this.program, this.partitions);
    this.owners = new Owners(this.broker, this.violated);
    const { inputs, others } = this.program;
    for (const topic of inputs) this.broker.createTopic(topic, this.partitions);
    for (const [topic, count] of Object.entries(others)) this.broker.createTopic(topic, count);
    this.watchDoor();
  }

  async play(): Promise<void> {
    try {
      await this.disturbed();
      await this.undisturbed();
    } catch (cause) {
      if (!(cause instanceof Violation)) this.violations.push(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
    } finally {
      for (const { instance } of this.machines.values()) instance.die();
      this.broker.close();
    }
  }

  readonly violated = (what: string): void => {
    this.violations.push(what);
    this.say(`VIOLATED: ${what}`);
  };

  // ---- with faults

  private async disturbed(): Promise<void> {
    const { chance } = this;
    this.start('p0');
    const rounds = 6 + chance.below(8);
    for (let number = 0; number < rounds; number++) {
      this.program.round(this.round(number));
      if (this.machines.size < MOST_INSTANCES && chance.below(4) === 0) this.start(`p${this.machines.size}`);
      for (const [name, { instance }] of this.machines) {
        if (instance.isRunning) {
          if (chance.below(12) === 0) this.close(instance);
        } else if (chance.below(3) > 0) {
          await this.restart(name);
        }
      }
      if (chance.below(15) === 0) this.jump();
      await this.schedule.pass(chance.below(2_000));
      this.owners.checkPositions();
    }
  }

  /** By so much that what lies on disk may be older than tombstones are kept. */
  private jump(): void {
    const ms = this.chance.oneOf([-3_600_000, 1_000, 4 * 86_400_000]);
    this.say(`the wall clocks jump by ${ms} ms`);
    this.schedule.jump(ms);
  }

  private round(number: number): Round {
    return {
      number,
      chance: this.chance,
      now: this.clock.now(),
      truncate: ({ name }) => this.inputs.truncate(name, this.chance.below(this.partitions)),
      write: (topic, records) => this.inputs.write(topic, records),
    };
  }

  private start(name: string): void {
    const machine = this.machines.get(name);
    const disk = machine?.disk ?? new Disk();
    const life = machine?.lives ?? 0;
    const { clock, broker, cuts, program, chance } = this;
    const instance = new Instance({
      ...{ name, life, broker, disk, cuts, topology: program.topology, clock: this.schedule.clock() },
      chance: new Chance(chance.below(0x7fffffff)),
      listener: new Acknowledged(this.violated),
      runs: this.runs(),
      config: { applicationId: APP, ...TIMES, ...this.config, ...program.config },
      say: (what) => this.say(what),
    });
    this.say(`${instance.clientId} starts at ${clock.now()}`);
    this.machines.set(name, { disk, lives: life + 1, instance });
    instance.start();
  }

  /** Some runs end by themselves, once they have caught up. */
  private runs(): RunOptions {
    return !this.cuts.isOver && this.chance.below(5) === 0 ? { until: 'caught-up' } : {};
  }

  private async restart(name: string): Promise<void> {
    const { instance, disk } = this.machines.get(name)!;
    this.note(instance);
    await this.checkDisk(disk);
    if (this.chance.below(8) === 0) {
      this.say(`the disk of ${name} is lost`);
      disk.wipe();
    }
    this.start(name);
  }

  private close(instance: Instance): void {
    this.say(`${instance.clientId} is closed`);
    instance.close();
  }

  private note(instance: Instance): void {
    if (instance.error !== undefined) this.gaveUp.push(instance.error.message.replace(/\d+/g, 'N').slice(0, 90));
  }

  private async checkDisk(disk: Disk): Promise<void> {
    for (const difference of await stateDifferences(disk, this.broker, this.program)) this.violated(difference);
  }

  // ---- without

  private async undisturbed(): Promise<void> {
    this.say('no more faults');
    this.cuts.isOver = true;
    await this.schedule.pass(this.program.hangs ?? 0);
    await this.rest();
    for (const last of this.program.last) {
      this.say('the last records');
      last(this.round(LAST_ROUND));
      await this.rest();
      // Global tables follow outside the commits.
      await this.schedule.pass(FOLLOWED);
    }
    await this.schedule.pass(ALL_TIMERS);
    await this.rest();
    for (const { instance } of this.machines.values()) this.close(instance);
    const all = [...this.machines.values()];
    if (!(await this.schedule.until(() => all.every(({ instance }) => !instance.isRunning), 60_000)))
      this.violated('an instance does not close');
    for (const { instance, disk } of all) {
      if (instance.error !== undefined) this.violated(`${instance.clientId} gave up undisturbed: ${instance.error.message}`);
      await this.checkDisk(disk);
    }
    this.owners.checkPositions();
    for (const difference of this.program.differences(this.committed, this.partitions)) this.violated(difference);
  }

  private readonly committed = (topic: string): ReturnType<typeof committedRecords>[] => {
    const found = [];
    for (let partition = 0; ; partition++) {
      const view = this.broker.partition({ topic, partition });
      if (view === undefined) return found;
      if (view.openTransactions.length > 0) this.violated(`a transaction is open in ${topic}-${partition}`);
      found.push(committedRecords(view));
    }
  };

  private async rest(): Promise<void> {
    const deadline = this.schedule.time + REST_WITHIN;
    let since = this.schedule.time;
    while (this.schedule.time < since + QUIET) {
      for (const [name, { instance }] of this.machines) if (!instance.isRunning) await this.restart(name);
      await this.schedule.pass(LOOK);
      const alive = [...this.machines.values()].map(({ instance }) => instance.clientId);
      const left = this.inputs.isWritten ? this.progress.undone(alive) : 'input is being written';
      if (left === undefined) continue;
      since = this.schedule.time;
      if (since <= deadline) continue;
      this.violated(`no rest after ${REST_WITHIN} ms: ${left}`);
      throw new Violation();
    }
  }

  // ---- the broker's door

  private watchDoor(): void {
    this.broker.faults.add({
      match: (call) => (this.struck = this.atDoor(call)) !== undefined,
      // Read when it has matched: another one for each request.
      action: new Proxy({} as FaultAction, { get: (_, name) => Reflect.get(this.struck!, name) as unknown }),
      times: Infinity,
    });
  }

  private atDoor(call: Call): FaultAction | undefined {
    this.trace.add(this.schedule.time, call);
    const machine = this.machines.get(call.clientId.split('.')[0]!);
    const instance = machine?.instance.clientId === call.clientId ? machine.instance : undefined;
    const action = this.cuts.isOver ? undefined : instance?.strikes(call);
    if (action !== undefined) this.say(`${call.clientId}: ${call.api} is struck: ${JSON.stringify(action)}`);
    else if (call.api === 'txnOffsetCommit') this.owners.commits(call);
    else if (call.api === 'initProducerId') this.owners.initialises(call);
    if (call.api === 'txnOffsetCommit') this.owners.fences(call);
    else if (call.api === 'addPartitionsToTxn') this.owners.adds(call);
    else if (call.api === 'endTxn') this.owners.ends(call);
    return action;
  }

  private say(what: string): void {
    this.story.push(`${String(this.schedule.time).padStart(7)} ${what}`);
  }
}

export async function runSeed(seed: number): Promise<SeedResult> {
  restartNumbers();
  const run = new Run(seed);
  const unhandled = (reason: unknown): void =>
    run.violated(`a promise was rejected, and nobody heard: ${String((reason as Error).stack ?? reason)}`);
  process.on('unhandledRejection', unhandled);
  try {
    await run.play();
  } finally {
    process.off('unhandledRejection', unhandled);
  }
  const { violations, story, gaveUp, trace, cuts, schedule, program } = run;
  return {
    ...{ seed, program: program.name, violations, story, gaveUp },
    ...{ hash: trace.hash, requests: trace.requests, time: schedule.time, sites: [...cuts.sites] },
  };
}
