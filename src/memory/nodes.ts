import type { NodeId } from '../kafka/port';
import type { Clock } from '../time/clock';
import { brokerCode } from './broker-code';

export interface NodesOptions {
  readonly count: number;
  /** ms until a node has heard of a change, at most. */
  readonly metadataLagMs: number;
}

/** What of the coordinators' keys are names. */
export type CoordinatorType = 'group' | 'transaction';

interface Coordinator {
  /** Undefined: none until somebody takes over. */
  node: NodeId | undefined;
  /** Before that it has not read all of its log. */
  loadedAt: number;
}

/** Kafka chooses coordinators by a hash of the name. */
function hashed(nodes: readonly NodeId[], key: string): NodeId {
  let hash = 0;
  for (let at = 0; at < key.length; at++) hash = (Math.imul(hash, 31) + key.charCodeAt(at)) | 0;
  return nodes[(hash >>> 1) % nodes.length]!;
}

/** The machines of the cluster: which of them run, and who of them coordinates what. */
export class Nodes {
  readonly all: readonly NodeId[];
  readonly #down = new Set<NodeId>();
  readonly #coordinators = new Map<string, Coordinator>();

  constructor(
    private readonly clock: Clock,
    private readonly options: NodesOptions,
  ) {
    this.all = Array.from({ length: options.count }, (_, index) => index + 1);
  }

  get up(): readonly NodeId[] {
    return this.#down.size === 0 ? this.all : this.all.filter((node) => this.isUp(node));
  }

  isUp(node: NodeId): boolean {
    return node > 0 && !this.#down.has(node);
  }

  stopped(node: NodeId): void {
    this.#down.add(node);
  }

  started(node: NodeId): void {
    this.#down.delete(node);
  }

  /** Who is to take over from a node: the next that runs, by number. */
  after(node: NodeId): NodeId | undefined {
    const { all } = this;
    const place = all.indexOf(node);
    for (let step = 1; step <= all.length; step++) {
      const next = all[(place + step) % all.length]!;
      if (this.isUp(next)) return next;
    }
    return undefined;
  }

  /** When each node hears of something that happens now. */
  hearing(): ReadonlyMap<NodeId, number> {
    const { metadataLagMs } = this.options;
    const now = this.clock.monotonic();
    return new Map(this.all.map((node) => [node, metadataLagMs > 0 ? now + this.clock.random() * metadataLagMs : now]));
  }

  // ---- coordinators

  coordinator(type: CoordinatorType, key: string): NodeId | undefined {
    return this.#coordinatorOf(type, key).node;
  }

  /** 0, or what `node` answers to requests about that key: 16, or 14 while it loads. */
  refuseKey(type: CoordinatorType, key: string, node: NodeId): number {
    const coordinator = this.#coordinatorOf(type, key);
    if (coordinator.node !== node) return brokerCode.NOT_COORDINATOR;
    return this.clock.monotonic() < coordinator.loadedAt ? brokerCode.COORDINATOR_LOAD_IN_PROGRESS : brokerCode.NONE;
  }

  /** The coordinator runs, and has read its log. */
  isServed(type: CoordinatorType, key: string): boolean {
    const { node } = this.#coordinatorOf(type, key);
    return node !== undefined && this.isUp(node) && this.refuseKey(type, key, node) === brokerCode.NONE;
  }

  /** @param to undefined: nobody, for the time being */
  moveCoordinator(type: CoordinatorType, key: string, to: NodeId | undefined, loadMs: number): void {
    const coordinator = this.#coordinatorOf(type, key);
    coordinator.node = to;
    coordinator.loadedAt = this.clock.monotonic() + loadMs;
  }

  /** What a node coordinates, of all that was ever asked for. */
  coordinatedBy(node: NodeId | undefined): { readonly type: CoordinatorType; readonly key: string }[] {
    const found: { type: CoordinatorType; key: string }[] = [];
    for (const [name, coordinator] of this.#coordinators) {
      if (coordinator.node !== node) continue;
      const space = name.indexOf(' ');
      found.push({ type: name.slice(0, space) as CoordinatorType, key: name.slice(space + 1) });
    }
    return found;
  }

  #coordinatorOf(type: CoordinatorType, key: string): Coordinator {
    const name = `${type} ${key}`;
    let known = this.#coordinators.get(name);
    if (known === undefined) {
      const node = hashed(this.all, key);
      known = { node: this.isUp(node) ? node : this.after(node), loadedAt: 0 };
      this.#coordinators.set(name, known);
    }
    return known;
  }
}
