import type { RunOptions } from '../../src/app';
import type { MemoryBroker } from '../../src/memory/memory-broker';
import { Acknowledged } from './acknowledged';
import { Chance } from './chance';
import type { CutPlan } from './cuts';
import { Disk } from './disk';
import { Instance } from './instance';
import { APP } from './program';
import type { Schedule } from './schedule';
import type { Setting } from './setting';
import { stateDifferences } from './state';
import type { Story } from './story';

export interface MachinesOptions {
  readonly setting: Setting;
  readonly schedule: Schedule;
  readonly broker: MemoryBroker;
  readonly cuts: CutPlan;
  readonly chance: Chance;
  readonly story: Story;
}

interface Machine {
  readonly name: string;
  disk: Disk;
  lives: number;
  /** The topology of its last life is the next one. */
  hasNext: boolean;
  process: Instance;
  /** Rounds for which it stays away once its process has ended: longer than a session, so that others do its work. */
  absence: number;
}

const TIMES = { sessionTimeout: 6_000, heartbeatInterval: 500, requestTimeout: 20_000 };
const MOST_MACHINES = 3;
const LONG_ABSENCE = 9;

/** The machines of the application, each with a disk and a process after the other. */
export class Machines {
  /** Processes begin with the next topology, if the program has one. */
  deploysNext = false;
  /** Nothing goes wrong by plan any more. */
  isQuiet = false;
  private readonly machines = new Map<string, Machine>();
  /** Processes that go on somewhere although another one has taken their name. */
  private readonly ghosts: Pick<Machine, 'process' | 'hasNext'>[] = [];

  constructor(private readonly options: MachinesOptions) {}

  get processes(): Instance[] {
    return [...this.machines.values(), ...this.ghosts].map(({ process }) => process);
  }

  get names(): string[] {
    return [...this.machines.keys()];
  }

  processOf(clientId: string): Instance | undefined {
    return this.processes.find((process) => process.clientId === clientId);
  }

  startFirst(): void {
    this.start('p0');
  }

  /** In each round: machines are added, closed and started again. */
  async disturb(): Promise<void> {
    const { chance, setting } = this.options;
    if (this.machines.size < MOST_MACHINES && chance.below(4) === 0) this.start(`p${this.machines.size}`);
    for (const machine of [...this.machines.values()]) {
      const { process } = machine;
      if (!process.isRunning && machine.absence > 0) {
        machine.absence--;
      } else if (!process.isRunning) {
        // A static member has its session to come back within.
        if (setting.isStatic || chance.below(3) > 0) await this.restart(machine);
      } else if (setting.isStatic && process.standsStill && chance.below(3) === 0) {
        this.double(machine);
      } else if (chance.below(this.mustDeploy(machine) ? 3 : 12) === 0) {
        this.close(process);
      }
    }
  }

  /** Disks can be looked at whatever goes on: one that is chosen by chance. */
  checkOne(): Promise<void> {
    return this.checkDisk(this.options.chance.oneOf([...this.machines.values()]).disk);
  }

  /** What is not running is started, with the topology of now. */
  async restartAll(): Promise<void> {
    for (const machine of this.machines.values()) if (!machine.process.isRunning) await this.restart(machine);
  }

  /** One that still has the topology before is closed. False: there is none any more. */
  deployOne(): boolean {
    const ghosts = this.ghosts.filter(({ process }) => process.isRunning);
    const old = [...this.machines.values(), ...ghosts].find((each) => this.mustDeploy(each));
    if (old?.process.isRunning === true) this.close(old.process);
    return old !== undefined;
  }

  closeAll(): void {
    for (const process of this.processes) this.close(process);
  }

  dieAll(): void {
    for (const process of this.processes) process.die();
  }

  /** After the last has been closed. */
  async checkAll(): Promise<void> {
    for (const { process, disk } of this.machines.values()) {
      if (process.error !== undefined) this.options.story.violated(`${process.clientId} gave up undisturbed: ${process.error.message}`);
      await this.checkDisk(disk);
    }
  }

  private mustDeploy({ hasNext }: Pick<Machine, 'hasNext'>): boolean {
    return this.deploysNext && !hasNext && this.options.setting.program.next !== undefined;
  }

  private start(name: string): void {
    const { setting, schedule, broker, cuts, chance, story } = this.options;
    const { program } = setting;
    const known = this.machines.get(name);
    const disk = known?.disk ?? new Disk(setting.diskMs);
    const life = known?.lives ?? 0;
    const hasNext = this.deploysNext;
    const process = new Instance({
      ...{ name, life, broker, disk, cuts, clock: schedule.clock() },
      topology: (hasNext ? program.next : undefined) ?? program.topology,
      chance: new Chance(chance.below(0x7fffffff)),
      listener: new Acknowledged(story.violated),
      runs: this.runs(),
      transactionTimeout: setting.transactionTimeout,
      config: { applicationId: APP, ...TIMES, ...setting.config, ...program.config, ...(setting.isStatic && { instanceId: name }) },
      say: story.say,
    });
    story.say(`${process.clientId} starts at ${schedule.now}${hasNext && program.next !== undefined ? ' with the next topology' : ''}`);
    this.machines.set(name, { name, disk, lives: life + 1, hasNext, process, absence: chance.below(4) === 0 ? LONG_ABSENCE : 0 });
    process.start();
  }

  /** Some runs end by themselves, once they have caught up. */
  private runs(): RunOptions {
    return !this.isQuiet && this.options.chance.below(4) === 0 ? { until: 'caught-up' } : {};
  }

  private async restart({ name, process, disk }: Machine): Promise<void> {
    const { chance, story } = this.options;
    if (process.error !== undefined) story.hasGivenUp(process.error);
    await this.checkDisk(disk);
    const fate = chance.below(16);
    if (fate < 2) {
      story.happened('disk lost', `the disk of ${name} is lost`);
      disk.wipe();
    } else if (fate === 2) {
      const folder = disk.corruptOne(chance);
      if (folder !== undefined) story.happened('folder corrupted', `${folder} is corrupted`);
    }
    this.start(name);
  }

  /** Somebody takes a machine for dead that stands still, and starts another in its name: one of the two must end. */
  private double(machine: Machine): void {
    const { story, setting } = this.options;
    story.happened('doubled', `${machine.process.clientId} stands still, and is taken for dead`);
    this.ghosts.push({ process: machine.process, hasNext: machine.hasNext });
    machine.disk = new Disk(setting.diskMs);
    this.start(machine.name);
  }

  private close(process: Instance): void {
    if (!process.isRunning) return;
    const { chance, story } = this.options;
    const within = this.isQuiet ? undefined : chance.oneOf([undefined, undefined, 0, 100, 3_000]);
    story.say(`${process.clientId} is closed${within === undefined ? '' : ` within ${within} ms`}`);
    process.close(within);
  }

  private async checkDisk(disk: Disk): Promise<void> {
    const { broker, setting, story } = this.options;
    for (const difference of await stateDifferences(disk, broker, setting.program)) story.violated(difference);
  }
}
