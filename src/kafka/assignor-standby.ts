import type { GroupView, Instance } from './assignor-group';
import type { IsReady } from './assignor-active';

/** A task that wants copies elsewhere. */
export interface Copied {
  readonly task: number;
  /** These have it, or are about to: never a standby's place. */
  readonly excluded: readonly Instance[];
}

/**
 * Instances for `replicas` standbys of every task, fewer where there are not enough: those that hold its state if possible, and then
 * moved until no instance has two more than one of those that could have one of its own. A chain of moves may be needed for that; the
 * loads are as even as they can be once no chain leads from an instance to one with two fewer (Harvey, Ladner, Lovász, Tamir:
 * "Semi-matchings for bipartite graphs and load balancing").
 */
export function standbysOf(view: GroupView, tasks: readonly Copied[], replicas: number, isReady: IsReady): Map<number, Set<Instance>> {
  const standbys = new Standbys(view, tasks, isReady);
  standbys.keep(replicas);
  standbys.fill(replicas);
  while (standbys.relieve()) continue;
  return standbys.chosen;
}

interface Step {
  readonly from: Instance;
  readonly task: number;
}

class Standbys {
  readonly chosen = new Map<number, Set<Instance>>();
  private readonly tasksOn = new Map<Instance, Set<number>>();
  private readonly excludedBy = new Map<number, readonly Instance[]>();
  private readonly ranks = new Map<Instance, Map<number, number>>();

  constructor(
    private readonly view: GroupView,
    private readonly tasks: readonly Copied[],
    private readonly isReady: IsReady,
  ) {
    for (const instance of view.instances) {
      this.tasksOn.set(instance, new Set());
      this.ranks.set(instance, new Map());
    }
    for (const { task, excluded } of tasks) {
      this.chosen.set(task, new Set());
      this.excludedBy.set(task, excluded);
    }
  }

  /** Ready ones before those that are far behind, followers before what lies about, then the least loaded, or who is least behind. */
  keep(replicas: number): void {
    for (const { task } of this.tasks) {
      const holders = this.view
        .holdersOf(task)
        .filter((holder) => this.isAble(holder, task))
        .map((holder) => {
          const isReady = this.isReady(holder, task);
          return { holder, rank: this.rank(holder, task), behind: isReady ? this.load(holder) : this.view.lag(holder, task) };
        })
        .sort((a, b) => a.rank - b.rank || a.behind - b.behind);
      for (const { holder } of holders.slice(0, replicas)) this.put(task, holder);
    }
  }

  /** The least loaded; of those one that has few standbys of the same owner's tasks, so that a failure spreads. */
  fill(replicas: number): void {
    const pairs = new Map<Instance | undefined, Map<Instance, number>>();
    for (const { task, excluded } of this.tasks) {
      const shared = pairs.get(excluded[0]) ?? new Map<Instance, number>();
      pairs.set(excluded[0], shared);
      const chosen = this.chosenFor(task);
      for (const instance of chosen) shared.set(instance, (shared.get(instance) ?? 0) + 1);
      while (chosen.size < replicas) {
        const best = this.leastLoaded(task, shared);
        if (best === undefined) break;
        shared.set(best, (shared.get(best) ?? 0) + 1);
        this.put(task, best);
      }
    }
  }

  private leastLoaded(task: number, shared: ReadonlyMap<Instance, number>): Instance | undefined {
    const chosen = this.chosenFor(task);
    let best: Instance | undefined;
    for (const instance of this.view.instances) {
      if (chosen.has(instance) || !this.isAble(instance, task)) continue;
      const isLess =
        best === undefined || (this.load(instance) - this.load(best) || (shared.get(instance) ?? 0) - (shared.get(best) ?? 0)) < 0;
      if (isLess) best = instance;
    }
    return best;
  }

  /** Moves one standby, along a chain of moves if need be, from an instance to one with at least two fewer. False: there is no such. */
  relieve(): boolean {
    const byLoad = [...this.view.instances].sort((a, b) => this.load(b) - this.load(a));
    return this.moveOne(byLoad) || this.moveAlong(byLoad);
  }

  /** From the most to one of the least loaded: that is nearly always possible. */
  private moveOne(byLoad: readonly Instance[]): boolean {
    const [from, to] = [byLoad[0], byLoad.at(-1)];
    if (from === undefined || to === undefined || this.load(from) - this.load(to) < 2) return false;
    const least = byLoad.filter((each) => this.load(each) === this.load(to));
    let best: { readonly step: Step; readonly to: Instance; readonly cost: number } | undefined;
    for (const [end, step] of this.stepsFrom(from, least)) {
      const cost = this.cost(step, end);
      if (best === undefined || cost < best.cost) best = { step, to: end, cost };
    }
    if (best !== undefined) this.move(best.step, best.to);
    return best !== undefined;
  }

  private moveAlong(byLoad: readonly Instance[]): boolean {
    const seen = new Map<Instance, Step | undefined>();
    for (const start of byLoad) {
      if (seen.has(start)) continue;
      seen.set(start, undefined);
      const waiting = [start];
      for (let from = waiting.shift(); from !== undefined; from = waiting.shift()) {
        const steps = this.stepsFrom(
          from,
          byLoad.filter((each) => !seen.has(each)),
        );
        for (const [to, step] of steps) seen.set(to, step);
        const reached = [...steps.keys()].filter((to) => this.load(to) <= this.load(start) - 2);
        if (reached.length > 0) {
          const end = reached.reduce((a, b) => (this.load(b) < this.load(a) ? b : a));
          for (let to = end, step = seen.get(to); step !== undefined; to = step.from, step = seen.get(to)) this.move(step, to);
          return true;
        }
        waiting.push(...steps.keys());
      }
    }
    return false;
  }

  /** For each of `targets` that one move reaches, the move that costs least. */
  private stepsFrom(from: Instance, targets: readonly Instance[]): Map<Instance, Step> {
    const steps = new Map<Instance, Step>();
    const costs = new Map<Instance, number>();
    for (const task of [...(this.tasksOn.get(from) ?? [])].sort((a, b) => a - b)) {
      const chosen = this.chosenFor(task);
      for (const to of targets) {
        if (chosen.has(to) || !this.isAble(to, task)) continue;
        const cost = this.cost({ from, task }, to);
        if (cost >= (costs.get(to) ?? Infinity)) continue;
        costs.set(to, cost);
        steps.set(to, { from, task });
      }
    }
    return steps;
  }

  private move({ from, task }: Step, to: Instance): void {
    this.chosenFor(task).delete(from);
    this.tasksOn.get(from)?.delete(task);
    this.put(task, to);
  }

  private cost({ from, task }: Step, to: Instance): number {
    return this.rank(to, task) - this.rank(from, task);
  }

  private rank(instance: Instance, task: number): number {
    if (!instance.positions.has(task)) return 4;
    const ranks = this.ranks.get(instance);
    let rank = ranks?.get(task);
    if (rank === undefined) {
      rank = (this.isReady(instance, task) ? 0 : 2) + (instance.followers.has(task) ? 0 : 1);
      ranks?.set(task, rank);
    }
    return rank;
  }

  private put(task: number, instance: Instance): void {
    this.chosenFor(task).add(instance);
    this.tasksOn.get(instance)?.add(task);
  }

  private load(instance: Instance): number {
    return this.tasksOn.get(instance)?.size ?? 0;
  }

  private isAble(instance: Instance, task: number): boolean {
    return this.view.canFollow(instance, task) && this.excludedBy.get(task)?.includes(instance) !== true;
  }

  private chosenFor(task: number): Set<Instance> {
    let chosen = this.chosen.get(task);
    if (chosen === undefined) this.chosen.set(task, (chosen = new Set()));
    return chosen;
  }
}
