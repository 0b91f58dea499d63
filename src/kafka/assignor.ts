/** One member of the group as the leader sees it. */
export interface GroupMember {
  readonly memberId: string;
  /** What the member says it owns; `generation` of that ownership. Of two that claim a task the newer generation is believed. */
  readonly owned: readonly number[];
  readonly generation: number;
}

/** Tasks by member id. A task that must first be given up by its owner is in nobody's list: the owner rejoins, and it is placed then. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

/**
 * Balanced within one task, and cooperative (KIP-429): owners keep what they have up to their share, and nothing is given to a new
 * owner while an old one still holds it. The same input gives the same answer on every member: members are taken in order of id.
 */
export function assignTasks(members: readonly GroupMember[], taskCount: number): Assignment {
  const ordered = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const owners = ownersOf(ordered, taskCount);
  const shares = sharesOf(ordered, owners, taskCount);
  const target = keepWithinShare(ordered, owners, shares);
  const free = tasksOf(taskCount).filter((task) => !isPlaced(target, task));
  for (const task of free) {
    const receiver = ordered.find((member) => listOf(target, member).length < (shares.get(member.memberId) ?? 0));
    if (receiver !== undefined) listOf(target, receiver).push(task);
  }
  for (const [memberId, tasks] of target) {
    const mayHave = tasks.filter((task) => owners.get(task) === undefined || owners.get(task) === memberId);
    target.set(
      memberId,
      mayHave.sort((a, b) => a - b),
    );
  }
  return target;
}

function tasksOf(taskCount: number): number[] {
  return Array.from({ length: taskCount }, (_, task) => task);
}

function ownersOf(members: readonly GroupMember[], taskCount: number): Map<number, string> {
  const claims = new Map<number, GroupMember>();
  for (const member of members) {
    for (const task of member.owned) {
      if (task < 0 || task >= taskCount) continue;
      const before = claims.get(task);
      if (before === undefined || before.generation < member.generation) claims.set(task, member);
    }
  }
  return new Map([...claims].map(([task, member]) => [task, member.memberId]));
}

/** Every member gets the whole part; the rest goes to those who own most, so that the fewest tasks move. */
function sharesOf(members: readonly GroupMember[], owners: ReadonlyMap<number, string>, taskCount: number): Map<string, number> {
  const least = Math.floor(taskCount / Math.max(1, members.length));
  let rest = taskCount - least * members.length;
  const owned = (memberId: string): number => [...owners.values()].filter((owner) => owner === memberId).length;
  const byOwned = [...members].sort((a, b) => owned(b.memberId) - owned(a.memberId) || (a.memberId < b.memberId ? -1 : 1));
  return new Map(byOwned.map((member) => [member.memberId, least + (rest-- > 0 ? 1 : 0)]));
}

function keepWithinShare(
  members: readonly GroupMember[],
  owners: ReadonlyMap<number, string>,
  shares: ReadonlyMap<string, number>,
): Map<string, number[]> {
  return new Map(
    members.map(({ memberId }) => {
      const owned = [...owners].filter(([, owner]) => owner === memberId).map(([task]) => task);
      return [memberId, owned.sort((a, b) => a - b).slice(0, shares.get(memberId) ?? 0)];
    }),
  );
}

function isPlaced(target: ReadonlyMap<string, readonly number[]>, task: number): boolean {
  for (const tasks of target.values()) if (tasks.includes(task)) return true;
  return false;
}

function listOf(target: ReadonlyMap<string, number[]>, member: GroupMember): number[] {
  return target.get(member.memberId) ?? [];
}
