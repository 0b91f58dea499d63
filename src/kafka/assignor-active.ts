import { byId, type GroupMember, type GroupView, type Instance } from './assignor-group';

/** Whether an instance may take a task over at once. */
export type IsReady = (instance: Instance, task: number) => boolean;

/** Where tasks belong, and who does best meanwhile. */
export interface Targets {
  /** Every task that some member knows. Balanced within one task, and between instances by their numbers of members. */
  readonly targets: ReadonlyMap<number, GroupMember>;
  /** Of tasks that nobody owns: who of those that hold its state starts soonest. */
  readonly heirs: ReadonlyMap<number, GroupMember>;
}

/**
 * The fewest tasks leave their owners that balance allows; those that go, go to whom they take the least time to restore. Members that
 * know more tasks than others share what only they know among themselves.
 */
export function targetsOf(view: GroupView, isReady: IsReady): Targets {
  const targets = new Map<number, GroupMember>();
  const heirs = new Map<number, GroupMember>();
  let from = 0;
  for (const to of view.levels()) {
    if (to > from) new Level(view, isReady, { from, to }, heirs).place(targets);
    from = to;
  }
  return { targets, heirs };
}

interface Candidate {
  readonly task: number;
  readonly member: GroupMember;
  readonly rank: number;
  readonly lag: number;
}

/** Tasks that the same members know. */
class Level {
  private readonly members: readonly GroupMember[];
  private readonly owned = new Map<GroupMember, number[]>();
  private readonly room = new Map<GroupMember, number>();
  private readonly surplus = new Map<GroupMember, number>();
  private readonly free: number[] = [];

  constructor(
    private readonly view: GroupView,
    private readonly isReady: IsReady,
    private readonly range: { readonly from: number; readonly to: number },
    private readonly heirs: Map<number, GroupMember>,
  ) {
    this.members = view.instances.flatMap(({ members }) => members).filter((member) => view.knows(member, range.from));
    for (const member of this.members) this.owned.set(member, []);
    for (let task = range.from; task < range.to; task++) {
      const owner = view.ownerOf(task);
      const list = owner === undefined ? undefined : this.owned.get(owner);
      (list ?? this.free).push(task);
    }
    this.findHeirs();
    this.share();
  }

  place(targets: Map<number, GroupMember>): void {
    this.placeFree(targets);
    this.placeSurplus(targets);
    this.placeRest(targets);
  }

  private give(targets: Map<number, GroupMember>, task: number, member: GroupMember): void {
    targets.set(task, member);
    this.room.set(member, this.roomOf(member) - 1);
  }

  private placeFree(targets: Map<number, GroupMember>): void {
    for (const { task, member } of this.candidates(this.free)) {
      if (!targets.has(task) && this.roomOf(member) > 0) this.give(targets, task, member);
    }
  }

  private placeSurplus(targets: Map<number, GroupMember>): void {
    const crowded = this.members.filter((member) => this.surplusOf(member) > 0);
    for (const { task, member } of this.candidates(crowded.flatMap((each) => this.ownedBy(each)))) {
      const owner = this.view.ownerOf(task);
      if (owner === undefined || this.surplusOf(owner) === 0 || targets.has(task) || this.roomOf(member) === 0) continue;
      this.give(targets, task, member);
      this.surplus.set(owner, this.surplusOf(owner) - 1);
    }
  }

  /** What nobody holds, or nobody with room. */
  private placeRest(targets: Map<number, GroupMember>): void {
    const rest = this.free.filter((task) => !targets.has(task));
    for (const member of this.members) {
      const staying = this.ownedBy(member).filter((task) => !targets.has(task));
      rest.push(...staying.splice(staying.length - this.surplusOf(member)));
      for (const task of staying) targets.set(task, member);
    }
    rest.sort((a, b) => a - b);
    for (const member of [...this.members].sort(byId)) {
      for (const task of rest.splice(0, this.roomOf(member))) this.give(targets, task, member);
    }
  }

  /** Those who hold state of these tasks and have room, best first. */
  private candidates(tasks: readonly number[]): Candidate[] {
    const found: Candidate[] = [];
    for (const task of tasks) {
      const owner = this.view.ownerOf(task);
      for (const instance of this.view.holdersOf(task)) {
        for (const member of instance.members) {
          if (member === owner || this.roomOf(member) === 0) continue;
          const isFirst = this.heirs.get(task) === member || instance.followers.get(task) === member;
          const rank = (this.isReady(instance, task) ? 0 : 2) + (isFirst ? 0 : 1);
          found.push({ task, member, rank, lag: this.view.lag(instance, task) });
        }
      }
    }
    // What is left over in the end are an owner's lowest tasks, as with tasks that nobody holds. The sort is stable: then by id.
    return found.sort((a, b) => a.rank - b.rank || a.lag - b.lag || b.task - a.task);
  }

  private findHeirs(): void {
    const load = new Map(this.members.map((member) => [member, this.ownedBy(member).length]));
    const loadOf = (member: GroupMember): number => load.get(member) ?? 0;
    for (const task of this.free) {
      const holders = this.view.holdersOf(task).flatMap((instance) => {
        const able = instance.members.filter((member) => this.owned.has(member));
        const least = able.reduce<GroupMember | undefined>((a, b) => (a === undefined || loadOf(b) < loadOf(a) ? b : a), undefined);
        const follower = instance.followers.get(task);
        const member = follower !== undefined && able.includes(follower) ? follower : least;
        return member === undefined ? [] : [{ member, isReady: this.isReady(instance, task), lag: this.view.lag(instance, task) }];
      });
      holders.sort(
        (a, b) => Number(b.isReady) - Number(a.isReady) || (a.isReady ? loadOf(a.member) - loadOf(b.member) : 0) || a.lag - b.lag,
      );
      const heir = holders[0]?.member;
      if (heir === undefined) continue;
      this.heirs.set(task, heir);
      load.set(heir, loadOf(heir) + 1);
    }
  }

  private share(): void {
    const { from, to } = this.range;
    const least = Math.floor((to - from) / this.members.length);
    const extras = this.extras(least, to - from - least * this.members.length);
    for (const member of this.members) {
      const spare = least + (extras.has(member) ? 1 : 0) - this.ownedBy(member).length;
      this.room.set(member, Math.max(0, spare));
      this.surplus.set(member, Math.max(0, -spare));
    }
  }

  /**
   * Who gets one task more than `least`. Each instance gets as many of these as the others for each of its members, and within that
   * those who own more get them, then those who are heirs to more: so the fewest tasks move.
   */
  private extras(least: number, count: number): ReadonlySet<GroupMember> {
    const inherited = new Map<GroupMember, number>();
    for (const task of this.free) {
      const heir = this.heirs.get(task);
      if (heir !== undefined) inherited.set(heir, (inherited.get(heir) ?? 0) + 1);
    }
    const wish = (member: GroupMember): number => {
      const owned = this.ownedBy(member).length;
      if (owned > least) return 2 + owned;
      return owned + (inherited.get(member) ?? 0) > least ? 1 : 0;
    };
    const shares = this.view.instances.map(({ members }) => {
      const waiting = members.filter((member) => this.owned.has(member)).sort((a, b) => wish(b) - wish(a));
      return { size: waiting.length, given: 0, waiting };
    });
    const extras = new Set<GroupMember>();
    while (extras.size < count) {
      const best = shares
        .filter(({ waiting }) => waiting.length > 0)
        .reduce((a, b) => {
          const difference = (b.given + 1) * a.size - (a.given + 1) * b.size;
          return difference < 0 || (difference === 0 && wish(b.waiting[0]!) > wish(a.waiting[0]!)) ? b : a;
        });
      extras.add(best.waiting.shift()!);
      best.given++;
    }
    return extras;
  }

  private ownedBy(member: GroupMember): readonly number[] {
    return this.owned.get(member) ?? [];
  }

  private roomOf(member: GroupMember): number {
    return this.room.get(member) ?? 0;
  }

  private surplusOf(member: GroupMember): number {
    return this.surplus.get(member) ?? 0;
  }
}
