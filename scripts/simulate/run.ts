import { memoryBroker, type MemoryBroker } from '../../src/memory/memory-broker';
import type { Clock } from '../../src/time/clock';
import { BrokerNodes } from './broker-nodes';
import { Chance } from './chance';
import { CutPlan } from './cuts';
import { Door } from './door';
import { Inputs } from './inputs';
import { nobodysTurn } from './instance';
import { committedRecords } from './log';
import { Machines } from './machines';
import type { Order } from './order';
import { Owners } from './owners';
import type { Round } from './program';
import { restartNumbers } from './programs/inputs';
import { Progress } from './progress';
import { Schedule } from './schedule';
import type { SeedResult } from './seed-result';
import { drawSetting, type Setting } from './setting';
import { Story, Violation } from './story';
import { Trace } from './trace';

/** ms in which everything must have come to rest once nothing goes wrong any more. */
const REST_WITHIN = 240_000;
/** ms of a round, at most, and how often somebody's disk is looked at in it. */
const ROUND_MS = 2_000;
const LOOKS = 4;
/** ms in which all processes must have ended, one of them frozen. */
const CLOSED_WITHIN = 120_000;
/** ms between two looks at whether it has. */
const LOOK = 100;
const QUIET = 2_500;
/** ms after which every wall clock timer of the programs has fired. */
const ALL_TIMERS = 15_000;
const LAST_ROUND = 1_000;
/** ms after which global tables have what is written. */
const FOLLOWED = 2_000;

/** One run: instances, broker, clock, chance and faults in this process; the seed decides everything. */
class Run {
  readonly story: Story;
  readonly trace = new Trace();
  readonly cuts: CutPlan;
  readonly schedule: Schedule;
  readonly setting: Setting;
  private readonly chance: Chance;
  private readonly clock: Clock;
  private readonly broker: MemoryBroker;
  private readonly nodes: BrokerNodes;
  private readonly machines: Machines;
  private readonly owners: Owners;
  private readonly door: Door;
  private readonly inputs: Inputs;
  private readonly progress: Progress;

  constructor({ seed, cuts: directed = [] }: Order, files: readonly string[]) {
    const chance = new Chance(seed);
    const schedule = new Schedule(new Chance(seed ^ 0x51ed27));
    const setting = drawSetting(seed, chance);
    const story = new Story(() => schedule.time);
    const { program, partitions, nodes, cluster, eagerness } = setting;
    [this.chance, this.schedule, this.setting, this.story] = [chance, schedule, setting, story];
    schedule.beforeTurn = () => {
      nobodysTurn();
      if (story.violations.length > 0) throw new Violation();
    };
    this.cuts = new CutPlan({ ...{ eagerness, files, directed }, chance: new Chance(seed ^ 0x7c0ffee), now: () => schedule.time });
    this.clock = schedule.clock();
    this.broker = memoryBroker({ ...cluster, clock: this.clock, brokers: nodes, latencyMs: () => chance.below(5) });
    this.inputs = new Inputs(this.broker, schedule.clock(), nodes, story.violated);
    this.nodes = new BrokerNodes({
      ...{ nodes, schedule, story, broker: this.broker, inputs: this.inputs },
      chance: new Chance(seed ^ 0x3a9d11),
    });
    this.owners = new Owners(this.broker, story.violated);
    this.machines = new Machines({ ...{ setting, schedule, chance, story }, broker: this.broker, cuts: this.cuts });
    this.progress = new Progress(this.broker, this.clock, program, partitions);
    this.door = new Door({ ...{ schedule, story }, machines: this.machines, owners: this.owners, trace: this.trace });
    for (const topic of program.inputs) this.broker.createTopic(topic, partitions);
    for (const [topic, count] of Object.entries(program.others)) this.broker.createTopic(topic, count);
    this.door.watch(this.broker);
  }

  async play(): Promise<void> {
    const { story } = this;
    try {
      await this.disturbed();
      await this.undisturbed();
    } catch (cause) {
      if (!(cause instanceof Violation)) story.violated(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
    } finally {
      this.machines.dieAll();
      this.broker.close();
    }
  }

  // ---- with faults

  private async disturbed(): Promise<void> {
    const { chance, machines, setting, schedule } = this;
    machines.startFirst();
    for (let number = 0; number < setting.rounds; number++) {
      if (number === setting.deploysIn) machines.deploysNext = true;
      setting.program.round(this.round(number));
      await machines.disturb();
      if (setting.hasTroubledNodes) this.nodes.disturb();
      if (chance.below(15) === 0) this.jump();
      for (let look = 0; look < LOOKS; look++) {
        await schedule.pass(chance.below(ROUND_MS / LOOKS));
        await machines.checkOne();
      }
      this.owners.checkPositions();
    }
  }

  /** By so much that what lies on disk may be older than tombstones are kept. */
  private jump(): void {
    const ms = this.chance.oneOf([-3_600_000, 1_000, 4 * 86_400_000]);
    this.story.happened('clock jumped', `the wall clocks jump by ${ms} ms`);
    this.schedule.jump(ms);
  }

  private round(number: number): Round {
    return {
      number,
      chance: this.chance,
      now: this.clock.now(),
      truncate: ({ name }) => {
        this.story.happened('truncated', `${name} loses a beginning`);
        this.inputs.truncate(name, this.chance.below(this.setting.partitions));
      },
      write: (topic, records) => this.inputs.write(topic, records),
    };
  }

  // ---- without

  private async undisturbed(): Promise<void> {
    const { story, machines, schedule } = this;
    const { program, partitions } = this.setting;
    story.say('no more faults');
    this.cuts.isOver = true;
    this.door.isQuiet = true;
    machines.isQuiet = true;
    this.nodes.calm();
    await schedule.pass(program.hangs ?? 0);
    await this.rest();
    while (machines.deployOne()) await this.rest();
    for (const last of program.last) {
      story.say('the last records');
      last(this.round(LAST_ROUND));
      await this.rest();
      // Global tables follow outside the commits.
      await schedule.pass(FOLLOWED);
    }
    await schedule.pass(ALL_TIMERS);
    await this.rest();
    machines.closeAll();
    if (!(await schedule.until(() => machines.processes.every(({ isRunning }) => !isRunning), CLOSED_WITHIN)))
      story.violated('an instance does not close');
    await machines.checkAll();
    this.owners.checkPositions();
    for (const difference of program.differences(this.committed, partitions)) story.violated(difference);
  }

  private readonly committed = (topic: string): ReturnType<typeof committedRecords>[] => {
    const found = [];
    for (let partition = 0; ; partition++) {
      const view = this.broker.partition({ topic, partition });
      if (view === undefined) return found;
      if (view.openTransactions.length > 0) this.story.violated(`a transaction is open in ${topic}-${partition}`);
      found.push(committedRecords(view));
    }
  };

  private async rest(): Promise<void> {
    const { schedule, machines } = this;
    const deadline = schedule.time + REST_WITHIN;
    let since = schedule.time;
    while (schedule.time < since + QUIET) {
      await machines.restartAll();
      await schedule.pass(LOOK);
      const left = this.inputs.isWritten ? this.progress.undone(machines.names) : 'input is being written';
      if (left === undefined) continue;
      since = schedule.time;
      if (since <= deadline) continue;
      this.story.violated(`no rest after ${REST_WITHIN} ms: ${left}`);
      throw new Violation();
    }
  }
}

/** @param files of the awaits, by number */
export async function runSeed(order: Order, files: readonly string[]): Promise<SeedResult> {
  restartNumbers();
  const run = new Run(order, files);
  const { story, trace, cuts, schedule, setting } = run;
  const unhandled = (reason: unknown): void =>
    story.violated(`a promise was rejected, and nobody heard: ${String((reason as Error).stack ?? reason)}`);
  process.on('unhandledRejection', unhandled);
  try {
    await run.play();
  } finally {
    process.off('unhandledRejection', unhandled);
  }
  return {
    ...{ order, program: setting.program.name },
    ...{ violations: story.violations, story: story.story, gaveUp: story.gaveUp, events: story.events },
    ...{ hash: trace.hash, requests: trace.requests, time: schedule.time, sites: [...cuts.sites] },
  };
}
