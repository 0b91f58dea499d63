import type { NodeId, TopicPartition } from '../kafka/port';
import type { Clock } from '../time/clock';
import type { CoordinatorType, Nodes } from './nodes';
import type { StoredGroups } from './stored-group';
import type { Topics } from './topics';

export interface FailoverOptions {
  readonly clock: Clock;
  readonly nodes: Nodes;
  readonly topics: Topics;
  readonly stored: StoredGroups;
}

/** ms for which a node that takes over from a dead one reads the log of what it coordinates now. */
const LOAD_MS = 100;

/** Who leads and coordinates after whom. All nodes have all that was acknowledged. */
export class Failover {
  constructor(private readonly options: FailoverOptions) {}

  moveLeader(name: TopicPartition, to: NodeId | undefined): void {
    const { topics, nodes } = this.options;
    const partition = topics.partition(name);
    if (partition !== undefined && partition.leader !== to) partition.leadBy(to, nodes.hearing());
  }

  moveCoordinator(type: CoordinatorType, key: string, to: NodeId | undefined, loadMs: number): void {
    const { clock, nodes, stored } = this.options;
    nodes.moveCoordinator(type, key, to, loadMs);
    if (type !== 'group') return;
    stored.unload(key);
    if (to === undefined) return;
    if (loadMs > 0) clock.setTimer(loadMs, () => stored.load(key));
    else stored.load(key);
  }

  stop(node: NodeId, electionMs: number | undefined): void {
    const { clock, nodes } = this.options;
    if (!nodes.isUp(node)) return;
    nodes.stopped(node);
    this.#pass(node, undefined);
    if (electionMs === undefined) return;
    clock.setTimer(electionMs, () => {
      const heir = nodes.after(node);
      if (heir !== undefined) this.#pass(undefined, heir);
    });
  }

  start(node: NodeId): void {
    this.options.nodes.started(node);
    this.#pass(undefined, node);
  }

  /** Of everything that one leads and coordinates; undefined: nobody. */
  #pass(from: NodeId | undefined, to: NodeId | undefined): void {
    const { nodes, topics } = this.options;
    for (const { topic, partition, leader } of topics.partitions()) {
      if (leader === (from ?? -1)) this.moveLeader({ topic, partition }, to);
    }
    for (const { type, key } of nodes.coordinatedBy(from)) this.moveCoordinator(type, key, to, LOAD_MS);
  }
}
