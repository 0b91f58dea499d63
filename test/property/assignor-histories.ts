/** Groups that live through histories, and what must hold at each of their rebalances: told by a model that knows no algorithm. */
import * as fc from 'fast-check';
import type { AssignOptions, GroupMember, GroupPlan, TaskOrder } from '../../src/kafka/assignor';

export type Assign = (members: readonly GroupMember[], options: AssignOptions) => GroupPlan;

type Event =
  | { readonly kind: 'start'; readonly disk: number; readonly plan: number }
  | { readonly kind: 'twin'; readonly disk: number }
  | { readonly kind: 'end'; readonly disk: number; readonly wiped: boolean }
  | { readonly kind: 'work'; readonly records: number; readonly followed: number }
  | { readonly kind: 'rebalance'; readonly missedBy: number };

export interface History {
  readonly tasks: number;
  readonly threads: number;
  readonly plans: number;
  readonly standbyReplicas: number;
  readonly acceptableLag: number;
  readonly maxWarmups: number;
  readonly events: readonly Event[];
}

const DISKS = 5;
const disk = fc.nat(DISKS - 1);

export const histories = (bounds: { readonly plans?: number } = {}): fc.Arbitrary<History> =>
  fc.record({
    tasks: fc.noBias(fc.nat(12)),
    threads: fc.integer({ min: 1, max: 2 }),
    plans: fc.integer({ min: 1, max: bounds.plans ?? 1 }),
    standbyReplicas: fc.nat(3),
    acceptableLag: fc.constantFrom(0, 0, 50, 1_000),
    maxWarmups: fc.integer({ min: 1, max: 4 }),
    events: fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.record({ kind: fc.constant('start' as const), disk, plan: fc.nat(1) }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('twin' as const), disk }) },
        { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), disk, wiped: fc.boolean() }) },
        { weight: 6, arbitrary: fc.record({ kind: fc.constant('work' as const), records: fc.nat(500), followed: fc.nat(3) }) },
        { weight: 9, arbitrary: fc.record({ kind: fc.constant('rebalance' as const), missedBy: fc.nat(20) }) },
      ),
      { maxLength: 30 },
    ),
  });

interface Member {
  readonly id: string;
  readonly process: Process;
  owned: readonly number[];
  generation: number;
  following: readonly number[];
}

interface Process {
  readonly instance: string;
  readonly nonce: string;
  readonly plan: number;
  /** Records by task. */
  readonly disk: Map<number, number>;
}

/** A property does not hold; `message` says which. */
export class Broken extends Error {}

function must(holds: boolean, what: string, detail?: unknown): asserts holds {
  if (!holds) throw new Broken(detail === undefined ? what : `${what}: ${JSON.stringify(detail)}`);
}

export class SimulatedGroup {
  private readonly disks = Array.from({ length: DISKS }, () => new Map<number, number>());
  private readonly ends: number[];
  private members: Member[] = [];
  private generation = 0;
  private made = 0;
  /** Instances onto which the state of a task was copied, once for each task; over the whole history. */
  readonly copied: string[] = [];

  constructor(
    private readonly assign: Assign,
    private readonly history: History,
  ) {
    this.ends = Array.from({ length: history.tasks }, () => 0);
  }

  live(): void {
    for (const event of this.history.events) this.happen(event);
  }

  /**
   * Rebalances with nothing else going on but followers that catch up, until it stays as it is. Two for each round of warm-ups, and
   * three besides: to give up, to place, and to hand over what waited for a standby.
   */
  settle(): number {
    const { tasks, standbyReplicas, maxWarmups } = this.history;
    const bound = 3 + 2 * Math.ceil((tasks * (1 + standbyReplicas)) / maxWarmups);
    if (this.members.length === 0) this.happen({ kind: 'start', disk: 0, plan: 0 });
    for (let rounds = 1; ; rounds++) {
      const before = this.picture();
      const plan = this.rebalance();
      if (!plan.probing && this.picture() === before) return rounds - 1;
      must(rounds <= bound, `no rest after ${rounds} rebalances`, this.picture());
      this.catchUp(1);
    }
  }

  /** A settled group gets one more instance, with nothing on its disk: what goes to it is copied, and hardly more. */
  checkNewcomer(): void {
    const at = this.disks.findIndex((_, each) => !this.isRunning(each));
    if (at < 0) return;
    this.disks[at]!.clear();
    this.copied.length = 0;
    this.happen({ kind: 'start', disk: at, plan: 0 });
    this.settle();
    must(
      this.copied.every((instance) => instance === `i${at}`),
      'a newcomer makes others copy state',
      this.copied,
    );
    const instances = new Set(this.members.map(({ process }) => process.instance)).size;
    const share = (tasks: number): number => Math.ceil(tasks / instances);
    const { tasks, standbyReplicas, threads } = this.history;
    // Who keeps one task or standby more than others may change between two handovers: a copy that was begun may be in vain.
    const most = share(tasks) + share(tasks * Math.min(standbyReplicas, instances - 1)) + threads;
    must(this.copied.length <= most, `a newcomer copies ${this.copied.length} tasks where ${most} would do`);
  }

  /** In a group at rest one instance fails, and comes back with its disk after the others have settled: balance may cost a copy or two. */
  checkReturn(): void {
    const at = this.disks.findIndex((lasting) => this.members.some(({ process }) => process.disk === lasting));
    if (at < 0) return;
    this.happen({ kind: 'end', disk: at, wiped: false });
    this.settle();
    this.copied.length = 0;
    this.happen({ kind: 'start', disk: at, plan: 0 });
    this.settle();
    must(this.copied.length <= 2, `${this.copied.length} copies although everything lies there`, [this.copied, this.picture()]);
  }

  happen(event: Event): void {
    if (event.kind === 'start' && !this.isRunning(event.disk))
      this.start(event.disk, event.plan % this.history.plans, this.disks[event.disk]!);
    if (event.kind === 'twin') this.start(event.disk, 0, new Map());
    if (event.kind === 'end') this.end(event.disk, event.wiped);
    if (event.kind === 'work') this.work(event.records, event.followed);
    if (event.kind === 'rebalance' && this.members.length > 0) this.rebalance(event.missedBy);
  }

  private isRunning(at: number): boolean {
    return this.members.some(({ process }) => process.instance === `i${at}`);
  }

  private start(at: number, plan: number, onDisk: Map<number, number>): void {
    const process: Process = { instance: `i${at}`, nonce: `${1_000 + this.made}-0.5`, plan, disk: onDisk };
    for (let thread = 0; thread < this.history.threads; thread++) {
      // Ids that do not ascend with time, as a broker gives them.
      const id = `m${((this.made++ * 7_919) % 997).toString(36)}`;
      this.members.push({ id, process, owned: [], generation: -1, following: [] });
    }
  }

  private end(at: number, wiped: boolean): void {
    this.members = this.members.filter(({ process }) => process.instance !== `i${at}`);
    if (wiped) this.disks[at]!.clear();
  }

  private work(records: number, followed: number): void {
    for (const [task, end] of this.ends.entries()) {
      if (this.members.some(({ owned }) => owned.includes(task))) this.ends[task] = end + records * (task % 3);
    }
    this.catchUp(followed / 3);
  }

  private catchUp(part: number): void {
    for (const { process, owned, following } of this.members) {
      for (const task of following) {
        const position = process.disk.get(task) ?? 0;
        process.disk.set(task, position + Math.ceil(((this.ends[task] ?? 0) - position) * part));
      }
      for (const task of owned) process.disk.set(task, this.ends[task] ?? 0);
    }
  }

  private claims(): GroupMember[] {
    return this.members.map(({ id, process, owned, generation, following }, at) => {
      const isFirst = this.members.findIndex((other) => other.process === process) === at;
      // What lies about is told by one member of a process, what a member follows by itself.
      const told = [...process.disk].filter(([task]) => following.includes(task) || owned.includes(task) || isFirst);
      return {
        ...{ memberId: id, owned, generation, instance: process.instance, nonce: process.nonce, plan: `plan ${process.plan}` },
        taskCount: this.history.tasks,
        held: told.map(([task, records]) => ({ task, position: records * (process.plan + 1), following: following.includes(task) })),
      };
    });
  }

  rebalance(missedBy = -1): GroupPlan {
    const { tasks: taskCount, standbyReplicas, acceptableLag, maxWarmups } = this.history;
    const options: AssignOptions = { taskCount, standbyReplicas, acceptableLag, maxWarmups };
    const claims = this.claims();
    const plan = this.assign(claims, options);
    const other = this.assign(
      [...claims].sort((a, b) => (a.memberId < b.memberId ? 1 : -1)),
      options,
    );
    must(sameOrders(plan, other), 'the order of members matters');
    this.check(plan, options);
    this.generation++;
    for (const [at, member] of this.members.entries()) {
      if (at !== missedBy) this.obey(member, plan.orders.get(member.id)!);
    }
    return plan;
  }

  private obey(member: Member, { active, standby, warmup }: TaskOrder): void {
    member.owned = active;
    member.generation = this.generation;
    member.following = [...standby, ...warmup];
    for (const task of [...member.following, ...active]) {
      if (member.process.disk.has(task)) continue;
      member.process.disk.set(task, 0);
      this.copied.push(member.process.instance);
    }
    for (const task of active) member.process.disk.set(task, this.ends[task] ?? 0);
  }

  private check(plan: GroupPlan, options: AssignOptions): void {
    for (const { id } of this.members) must(plan.orders.has(id), `member ${id} has no order`);
    const serving = this.checkTwins(plan);
    const copies = Math.min(options.standbyReplicas ?? 0, serving.size - 1);
    for (let task = 0; task < this.history.tasks; task++) {
      this.checkOwner(task, plan);
      this.checkCopies(task, plan, copies);
      if (this.history.plans === 1) this.checkReady(task, plan, serving, copies);
    }
    this.checkWarmups(plan, copies);
    this.checkMovement(plan, serving);
  }

  /** Returns the processes that may have tasks. */
  private checkTwins(plan: GroupPlan): ReadonlySet<Process> {
    const serving = new Map<string, Process>();
    for (const { id, process } of this.members) {
      const { duplicateOf, active, standby, warmup } = plan.orders.get(id)!;
      if (duplicateOf !== undefined) must(active.length + standby.length + warmup.length === 0, 'a twin has tasks');
      else must((serving.get(process.instance) ?? process) === process, 'both twins may go on');
      if (duplicateOf === undefined) serving.set(process.instance, process);
    }
    for (const { id, process, owned } of this.members) {
      if (plan.orders.get(id)!.duplicateOf === undefined || owned.length === 0) continue;
      const senior = serving.get(process.instance);
      must(
        this.members.some((member) => member.process === senior && member.owned.length > 0),
        'of twins the one that works has to stop',
      );
    }
    return new Set(serving.values());
  }

  private checkOwner(task: number, plan: GroupPlan): void {
    const active = this.members.filter(({ id }) => plan.orders.get(id)!.active.includes(task));
    must(active.length <= 1, `task ${task} is in two active lists`);
    const owners = this.members.filter(({ owned }) => owned.includes(task));
    must(owners.length <= 1, `task ${task} has two owners`);
    must(
      active.length === 0 || owners.length === 0 || active[0] === owners[0],
      `task ${task} has a new owner before the old one gave it up`,
    );
    must(owners.length === 1 || active.length === 1, `task ${task} has no owner and gets none`);
  }

  private checkCopies(task: number, plan: GroupPlan, copies: number): void {
    const has = (list: 'active' | 'standby' | 'warmup'): Process[] => {
      const found: Process[] = [];
      for (const { id, process } of this.members) {
        for (const each of plan.orders.get(id)![list]) if (each === task) found.push(process);
      }
      return found;
    };
    const [active, standby, warmup] = [has('active'), has('standby'), has('warmup')];
    const all = [...active, ...standby, ...warmup];
    must(new Set(all).size === all.length, `task ${task} is twice on one instance`);
    const owner = this.members.find(({ owned }) => owned.includes(task))?.process;
    must(owner === undefined || ![...standby, ...warmup].includes(owner), `task ${task} has a copy where it is being given up`);
    must(standby.length <= copies, `task ${task} has too many standbys`);
    if (active.length === 1) must(standby.length + warmup.length >= copies, `task ${task} has too few copies`);
  }

  /** Who is within the acceptable lag goes before who is not, as the active one and as a copy. */
  private checkReady(task: number, plan: GroupPlan, serving: ReadonlySet<Process>, copies: number): void {
    const owner = this.members.find(({ owned }) => owned.includes(task));
    const active = this.members.find(({ id }) => plan.orders.get(id)!.active.includes(task));
    const isServing = owner !== undefined && serving.has(owner.process);
    const known = [...serving].map((process) => process.disk.get(task) ?? 0);
    const end = (isServing ? owner.process.disk.get(task) : undefined) ?? Math.max(0, ...known);
    const ready = [...serving].filter((process) => end - (process.disk.get(task) ?? 0) <= this.history.acceptableLag);
    if (active !== undefined && active !== owner && ready.length > 0)
      must(ready.includes(active.process), `task ${task} goes to one that lags`);
    if (isServing && active === undefined) {
      const others = ready.filter((process) => process !== owner.process);
      must(others.length > 0 || this.history.threads > 1, `task ${task} is given up for one that lags`);
    }
    if (active === undefined) return;
    const followers = this.members.filter(
      ({ process, following }) => following.includes(task) && process !== active.process && ready.includes(process),
    );
    const staying = ready.filter((process) => this.members.some((member) => member.process === process && follows(plan, member.id, task)));
    must(staying.length >= Math.min(copies, followers.length), `task ${task} loses a copy that is up to date`);
  }

  private checkWarmups(plan: GroupPlan, copies: number): void {
    const orders = [...plan.orders.values()];
    const count = (task: number): number => orders.filter(({ standby, warmup }) => standby.includes(task) || warmup.includes(task)).length;
    const active = orders.flatMap((order) => order.active);
    const extra = active.reduce((sum, task) => sum + Math.max(0, count(task) - copies), 0);
    must(extra <= this.history.maxWarmups, `${extra} warm-ups at once`);
    const awaited = orders.filter(({ rejoinAfterMs }) => rejoinAfterMs !== undefined);
    must(plan.probing === awaited.length > 0, 'nobody will ask for the next rebalance, or one too many');
    must(
      awaited.every(({ warmup }) => warmup.length > 0),
      'a member without warm-ups joins again',
    );
  }

  /** No more tasks leave their owners than must for balance, whichever members have one more than others. */
  private checkMovement(plan: GroupPlan, serving: ReadonlySet<Process>): void {
    let given = 0;
    for (const { id, owned, process } of this.members) {
      if (serving.has(process)) given += owned.filter((task) => !plan.orders.get(id)!.active.includes(task)).length;
    }
    const least = this.leastMovement(serving);
    must(given <= least, `${given} tasks leave their owners, ${least} must`);
  }

  private leastMovement(serving: ReadonlySet<Process>): number {
    const counts = [...serving].map((process) =>
      this.members
        .filter((member) => member.process === process)
        .map(({ owned }) => owned.length)
        .sort((a, b) => b - a),
    );
    const members = counts.flat().length;
    const base = Math.floor(this.history.tasks / members);
    const extras = this.history.tasks - base * members;
    const each = Math.floor(extras / counts.length);
    const surplus = (owned: readonly number[], more: number): number =>
      owned.reduce((sum, count, at) => sum + Math.max(0, count - base - (at < more ? 1 : 0)), 0);
    const gains = counts.map((owned) => surplus(owned, each) - surplus(owned, each + 1)).sort((a, b) => b - a);
    const saved = gains.slice(0, extras - each * counts.length).reduce((sum, gain) => sum + gain, 0);
    return counts.reduce((sum, owned) => sum + surplus(owned, each), 0) - saved;
  }

  /** After `settle`. */
  checkSettled(): void {
    const { tasks, standbyReplicas } = this.history;
    const plan = this.rebalance();
    const orders = [...plan.orders].filter(([, { duplicateOf }]) => duplicateOf === undefined);
    const processOf = new Map(this.members.map(({ id, process }) => [id, process]));
    const instances = [...new Set(orders.map(([id]) => processOf.get(id)!))];
    const sizes = (list: 'active' | 'standby'): number[] =>
      instances.map((process) => orders.reduce((sum, [id, order]) => sum + (processOf.get(id) === process ? order[list].length : 0), 0));
    const active = orders.flatMap(([, order]) => order.active);
    must(active.length === tasks, 'not every task has an owner in the end', active);
    must(spread(orders.map(([, order]) => order.active.length)) <= 1, 'members are not balanced', this.picture());
    must(spread(sizes('active')) <= 1, 'instances are not balanced', this.picture());
    must(
      orders.every(([, { warmup }]) => warmup.length === 0),
      'a warm-up without end',
    );
    const standbys = orders.flatMap(([, { standby }]) => standby);
    const copies = Math.min(standbyReplicas, instances.length - 1);
    must(standbys.length === copies * tasks, 'standbys are missing', this.picture());
    must(spread(sizes('standby')) <= 1, 'standbys are not balanced', this.picture());
  }

  /** Rebalances while nobody catches up: every task is worked on all the same. */
  checkWithoutProgress(): void {
    if (this.members.length === 0) this.happen({ kind: 'start', disk: 0, plan: 0 });
    this.rebalance();
    for (let round = 0; round < 3; round++) {
      this.rebalance();
      const owned = this.members.flatMap((member) => member.owned);
      // What is handed over between two that are ready is nobody's for one round.
      if (round === 2) must(owned.length === this.history.tasks, 'a task waits for one that does not catch up', this.picture());
    }
  }

  private picture(): string {
    return JSON.stringify(
      this.members.map(({ id, process, owned, following }) => [id, process.instance, owned, [...following].sort((a, b) => a - b)]),
    );
  }
}

function follows(plan: GroupPlan, memberId: string, task: number): boolean {
  const { standby, warmup } = plan.orders.get(memberId)!;
  return standby.includes(task) || warmup.includes(task);
}

function spread(sizes: readonly number[]): number {
  return sizes.length === 0 ? 0 : Math.max(...sizes) - Math.min(...sizes);
}

function sameOrders(a: GroupPlan, b: GroupPlan): boolean {
  const ordered = (plan: GroupPlan): string => JSON.stringify([...plan.orders].sort(([x], [y]) => (x < y ? -1 : 1)));
  return ordered(a) === ordered(b) && a.probing === b.probing;
}
