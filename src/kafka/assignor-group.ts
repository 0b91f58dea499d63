import type { HeldTask } from './held-tasks';

/** One member of the group as the leader sees it. */
export interface GroupMember {
  readonly memberId: string;
  /** What the member says it owns; `generation` of that ownership. Of two that claim a task the newer generation is believed. */
  readonly owned: readonly number[];
  readonly generation: number;
  /** Members of one instance share a disk and fail together. Undefined: an instance of its own. */
  readonly instance?: string;
  /** Of the process's start, which its time begins. One instance with two of them is two processes. */
  readonly nonce?: string;
  /** Positions are compared only under one plan: with other stores the sum is another. */
  readonly plan?: string;
  /** Tasks from this number on mean nothing to the member. Undefined: an older member, which does not say. */
  readonly taskCount?: number;
  /** Tasks whose state lies on this member's disk. Undefined: an older member, which does not say, and follows nothing. */
  readonly held?: readonly HeldTask[];
}

/** Members that share one disk. */
export class Instance {
  /** By task: the greatest sum of changelog positions on the disk. */
  readonly positions = new Map<number, number>();
  /** By task: the member that follows its changelogs now. */
  readonly followers = new Map<number, GroupMember>();

  /** @param members in order of id */
  constructor(
    readonly id: string,
    readonly members: readonly GroupMember[],
  ) {
    for (const member of members) {
      for (const { task, position, following } of member.held ?? []) {
        this.positions.set(task, Math.max(position, this.positions.get(task) ?? 0));
        if (following && !this.followers.has(task)) this.followers.set(task, member);
      }
    }
  }

  /** It can be no standby, and would never say that it has caught up. */
  get isSilent(): boolean {
    return this.members.every(({ held }) => held === undefined);
  }

  /** One process has one plan. */
  get plan(): string | undefined {
    return this.members[0]?.plan;
  }
}

/** What the leader knows when it assigns: the same for every order in which the members come. */
export class GroupView {
  /** Those that may be given tasks, in order of id. */
  readonly instances: readonly Instance[];
  /** By member id of a process that must stop: the nonce of the one that stays. */
  readonly duplicates = new Map<string, string>();
  private readonly owners: ReadonlyMap<number, GroupMember>;
  private readonly instanceOf = new Map<GroupMember, Instance>();
  private readonly counts: ReadonlyMap<GroupMember, number>;
  private readonly holders = new Map<number, Instance[]>();
  /** By what is compared, then by task. */
  private readonly ends = new Map<string, Map<number, number>>();

  constructor(
    readonly members: readonly GroupMember[],
    taskCount: number,
  ) {
    const ordered = [...members].sort(byId);
    this.counts = countsOf(ordered, taskCount);
    this.owners = ownersOf(ordered, this.counts);
    this.instances = this.serving(ordered).map(([id, serving]) => new Instance(id, serving));
    for (const instance of this.instances) {
      for (const member of instance.members) this.instanceOf.set(member, instance);
      for (const task of instance.positions.keys()) {
        const holders = this.holders.get(task);
        if (holders === undefined) this.holders.set(task, [instance]);
        else holders.push(instance);
      }
    }
  }

  /** Also a member that must stop: what it has must be given up before another gets it. */
  ownerOf(task: number): GroupMember | undefined {
    return this.owners.get(task);
  }

  /** Undefined for a member that must stop. */
  instance(member: GroupMember): Instance | undefined {
    return this.instanceOf.get(member);
  }

  /** In order of id. */
  holdersOf(task: number): readonly Instance[] {
    return this.holders.get(task) ?? [];
  }

  /** The numbers of tasks that members know, ascending: from one to the next the same members know every task. */
  levels(): readonly number[] {
    return [...new Set(this.instances.flatMap(({ members }) => members.map((member) => this.countOf(member))))].sort((a, b) => a - b);
  }

  knows(member: GroupMember, task: number): boolean {
    return task < this.countOf(member);
  }

  canFollow(instance: Instance, task: number): boolean {
    return !instance.isSilent && instance.members.some((member) => this.knows(member, task));
  }

  /**
   * Changelog records that an instance is behind with a task. Its owner is the measure, then the greatest position under the same plan;
   * 0 when nobody holds anything, there is nothing to catch up with, and for an instance that never tells.
   */
  lag(instance: Instance, task: number): number {
    if (instance.isSilent) return 0;
    const position = instance.positions.get(task);
    const end = this.endOf(task, instance.plan, position !== undefined);
    return Math.max(0, end - (position ?? 0));
  }

  private endOf(task: number, plan: string | undefined, isHolder: boolean): number {
    // Sums under another plan say nothing of how far a holder is; that one without anything is far behind they do say.
    const kind = isHolder ? `=${plan ?? ''}` : '';
    let ends = this.ends.get(kind);
    if (ends === undefined) this.ends.set(kind, (ends = new Map<number, number>()));
    let end = ends.get(task);
    if (end === undefined) ends.set(task, (end = this.findEnd(task, isHolder ? { plan } : undefined)));
    return end;
  }

  private findEnd(task: number, only: { readonly plan: string | undefined } | undefined): number {
    const owner = this.owners.get(task);
    const owned = owner === undefined ? undefined : this.instanceOf.get(owner);
    const measures = [owned === undefined ? [] : [owned], this.holdersOf(task)];
    for (const instances of measures) {
      const known = instances.filter((each) => each.positions.has(task) && (only === undefined || each.plan === only.plan));
      if (known.length > 0) return known.reduce((end, each) => Math.max(end, each.positions.get(task) ?? 0), 0);
    }
    return 0;
  }

  private countOf(member: GroupMember): number {
    return this.counts.get(member) ?? 0;
  }

  /** Members by instance, without those of processes that must stop. */
  private serving(ordered: readonly GroupMember[]): [string, GroupMember[]][] {
    const byInstance = grouped(ordered, ({ instance, memberId }) =>
      instance === undefined ? `member ${memberId}` : `instance ${instance}`,
    );
    const owned = new Set(this.owners.values());
    const newestOwned = (process: readonly GroupMember[]): number =>
      Math.max(-1, ...process.filter((member) => owned.has(member)).map(({ generation }) => generation));
    return [...byInstance]
      .sort(([a], [b]) => compareText(a, b))
      .map(([id, members]) => {
        const processes = [...grouped(members, ({ nonce }) => nonce ?? '')];
        // The one that has tasks stays; else the one that started first.
        processes.sort(([a, as], [b, bs]) => newestOwned(bs) - newestOwned(as) || startOf(a) - startOf(b) || compareText(a, b));
        const [senior, ...others] = processes;
        for (const [, process] of others) for (const { memberId } of process) this.duplicates.set(memberId, senior?.[0] ?? '');
        return [id, senior?.[1] ?? []];
      });
  }
}

export function byId(a: GroupMember, b: GroupMember): number {
  return compareText(a.memberId, b.memberId);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** ms; a nonce begins with it. */
function startOf(nonce: string): number {
  const start = Number.parseInt(nonce, 10);
  return Number.isNaN(start) ? 0 : start;
}

function grouped(members: readonly GroupMember[], keyOf: (member: GroupMember) => string): Map<string, GroupMember[]> {
  const groups = new Map<string, GroupMember[]>();
  for (const member of members) {
    const key = keyOf(member);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [member]);
    else group.push(member);
  }
  return groups;
}

/** Who does not say how many tasks it knows is given only what everybody knows. */
function countsOf(members: readonly GroupMember[], taskCount: number): Map<GroupMember, number> {
  const least = Math.min(taskCount, ...members.flatMap((member) => member.taskCount ?? []));
  return new Map(members.map((member) => [member, member.taskCount ?? least]));
}

function ownersOf(members: readonly GroupMember[], counts: ReadonlyMap<GroupMember, number>): Map<number, GroupMember> {
  const owners = new Map<number, GroupMember>();
  for (const member of members) {
    for (const task of member.owned) {
      if (task < 0 || task >= (counts.get(member) ?? 0)) continue;
      const before = owners.get(task);
      if (before === undefined || before.generation < member.generation) owners.set(task, member);
    }
  }
  return owners;
}
