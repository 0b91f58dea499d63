import { type IsReady, targetsOf } from './assignor-active';
import { type GroupMember, GroupView, type Instance } from './assignor-group';
import { standbysOf } from './assignor-standby';

export type { GroupMember } from './assignor-group';

/** What the leader is asked for. */
export interface AssignOptions {
  /** As the leader knows it. Members say for themselves up to which number they know tasks. */
  readonly taskCount: number;
  /** Copies of each task besides the active one, as far as there are instances. Default 0. */
  readonly standbyReplicas?: number;
  /** Changelog records that an instance may be behind when it gets a task. Default 10,000. */
  readonly acceptableLag?: number;
  /** Tasks at once, over the whole group, that are copied only in order to move. Default 2, at least 1. */
  readonly maxWarmups?: number;
  /** A member that warms up joins again after this time at the latest. Default 10 minutes. */
  readonly probingIntervalMs?: number;
}

/** What one member is told; numbers of tasks ascend. */
export interface TaskOrder {
  readonly active: readonly number[];
  /** Follow their changelogs. */
  readonly standby: readonly number[];
  /** Follow their changelogs in order to take them over: somebody else is active until then. */
  readonly warmup: readonly number[];
  /** Join again as soon as a warm-up is within the acceptable lag, after this time at the latest. Undefined: nothing is waited for. */
  readonly rejoinAfterMs: number | undefined;
  /** The nonce of another process under this member's instance id. It stays; this one has to stop. */
  readonly duplicateOf: string | undefined;
}

export interface GroupPlan {
  readonly orders: ReadonlyMap<string, TaskOrder>;
  /** Something is to move as soon as its new place has caught up: a member with `rejoinAfterMs` will ask for another rebalance. */
  readonly probing: boolean;
}

const DEFAULTS = { standbyReplicas: 0, acceptableLag: 10_000, maxWarmups: 2, probingIntervalMs: 600_000 };

/**
 * Who does what: the same answer for the same claims, in whatever order they come.
 *
 * - Tasks are balanced within one over the members; instances have their share by their number of members. The fewest tasks move.
 * - Cooperative (KIP-429): a task is nobody's while its old owner has to give it up; the owner joins again, and it is placed then.
 * - Smooth (KIP-441): a task whose new owner lags stays where it is until that one has caught up; of a task without an owner, whoever
 *   holds its state best goes on with it, beyond its share if need be.
 */
export function assign(members: readonly GroupMember[], options: AssignOptions): GroupPlan {
  const asked = { ...DEFAULTS, ...options };
  const view = new GroupView(members, asked.taskCount);
  const isReady: IsReady = (instance, task) => view.lag(instance, task) <= asked.acceptableLag;
  const orders = new Orders(view, isReady, asked);
  orders.placeActive();
  orders.placeStandbys();
  orders.placeWarmups();
  return orders.done();
}

interface Draft {
  readonly active: number[];
  readonly standby: number[];
  readonly warmup: number[];
  isAwaited: boolean;
}

/** A task that shall move once its new place has caught up. */
interface Move {
  readonly task: number;
  readonly to: Instance;
  /** Undefined: as a standby. */
  readonly member: GroupMember | undefined;
}

class Orders {
  private readonly drafts: ReadonlyMap<GroupMember, Draft>;
  /** By task: where it is active, or both ends while it is handed over. */
  private readonly busy = new Map<number, readonly Instance[]>();
  private readonly moves: Move[] = [];
  private readonly standbys = new Map<number, Set<Instance>>();
  /** New owners of tasks that are being given up: they go on following meanwhile. */
  private readonly handed = new Map<number, Instance>();

  constructor(
    private readonly view: GroupView,
    private readonly isReady: IsReady,
    private readonly asked: Required<AssignOptions>,
  ) {
    this.drafts = new Map(view.members.map((member) => [member, { active: [], standby: [], warmup: [], isAwaited: false }]));
  }

  placeActive(): void {
    const { targets, heirs } = targetsOf(this.view, this.isReady);
    for (const [task, target] of [...targets].sort(([a], [b]) => a - b)) {
      const to = this.view.instance(target)!;
      const owner = this.view.ownerOf(task);
      const holder = owner ?? heirs.get(task) ?? target;
      const from = this.view.instance(holder);
      if (holder === target) this.activate(task, target, to);
      else if (from === undefined) this.busy.set(task, [to]);
      else if (from !== to && !this.isReady(to, task)) {
        this.activate(task, holder, from);
        this.moves.push({ task, to, member: target });
      } else if (owner === undefined) this.activate(task, target, to);
      else this.handOver(task, from, to);
    }
  }

  /** Copies that are far behind replace none that is not, before they have caught up. */
  placeStandbys(): void {
    const { standbyReplicas } = this.asked;
    if (standbyReplicas === 0) return;
    const tasks = [...this.busy].map(([task, excluded]) => ({ task, excluded }));
    for (const [task, chosen] of standbysOf(this.view, tasks, standbyReplicas, this.isReady)) {
      const excluded = this.busy.get(task) ?? [];
      const relieved = this.view
        .holdersOf(task)
        .filter((each) => each.followers.has(task) && !chosen.has(each) && !excluded.includes(each) && this.isReady(each, task));
      for (const to of [...chosen].filter((each) => !this.isReady(each, task))) {
        const stays = relieved.shift();
        if (stays === undefined) break;
        chosen.delete(to);
        chosen.add(stays);
        const isMoving = this.moves.some((move) => move.task === task && move.to === to);
        if (!isMoving) this.moves.push({ task, to, member: undefined });
      }
      this.standbys.set(task, chosen);
    }
  }

  /** A standby that is to become active is a copy that is there anyway. Of the others those that have begun go on, then active ones come first. */
  placeWarmups(): void {
    const isCopied = ({ task, to }: Move): boolean => this.standbys.get(task)?.has(to) === true;
    const order = ({ task, to, member }: Move): number => (to.followers.has(task) ? 0 : 2) + (member === undefined ? 1 : 0);
    let left = Math.max(1, this.asked.maxWarmups);
    for (const move of [...this.moves].sort((a, b) => order(a) - order(b) || a.task - b.task)) {
      if (!isCopied(move) && left-- <= 0) continue;
      const draft = this.follow(move.task, move.to, move.member, 'warmup');
      if (draft !== undefined) draft.isAwaited = true;
      this.standbys.get(move.task)?.delete(move.to);
    }
    for (const [task, to] of this.handed) this.follow(task, to, undefined, 'warmup');
    for (const [task, instances] of this.standbys) for (const instance of instances) this.follow(task, instance, undefined, 'standby');
  }

  done(): GroupPlan {
    const ascending = (tasks: number[]): number[] => tasks.sort((a, b) => a - b);
    const orders = [...this.drafts].map(([{ memberId }, { active, standby, warmup, isAwaited }]): [string, TaskOrder] => [
      memberId,
      {
        active: ascending(active),
        standby: ascending(standby),
        warmup: ascending(warmup),
        rejoinAfterMs: isAwaited ? this.asked.probingIntervalMs : undefined,
        duplicateOf: this.view.duplicates.get(memberId),
      },
    ]);
    return { orders: new Map(orders), probing: this.moves.length > 0 };
  }

  private activate(task: number, member: GroupMember, instance: Instance): void {
    this.drafts.get(member)?.active.push(task);
    this.busy.set(task, [instance]);
  }

  private handOver(task: number, from: Instance, to: Instance): void {
    this.busy.set(task, [to, from]);
    if (from !== to && to.followers.has(task)) this.handed.set(task, to);
  }

  /** Who follows it already goes on; else the one that shall have it; else who has least to do. */
  private follow(task: number, instance: Instance, wanted: GroupMember | undefined, as: 'standby' | 'warmup'): Draft | undefined {
    const able = instance.members.filter((member) => this.view.knows(member, task));
    const follower = instance.followers.get(task);
    const load = (member: GroupMember): number => {
      const { active = [], standby = [], warmup = [] } = this.drafts.get(member) ?? {};
      return active.length + standby.length + warmup.length;
    };
    const least = able.reduce<GroupMember | undefined>((a, b) => (a === undefined || load(b) < load(a) ? b : a), undefined);
    const member = follower !== undefined && able.includes(follower) ? follower : (wanted ?? least);
    const draft = member === undefined ? undefined : this.drafts.get(member);
    draft?.[as].push(task);
    return draft;
  }
}
