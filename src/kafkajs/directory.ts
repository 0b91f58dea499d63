import { MillraceError } from '../errors/millrace-error';
import type { NodeId } from '../kafka/port';
import type { Logger } from '../model/logger';
import type { Clock, TimerHandle } from '../time/clock';
import { addressOf, type Address } from './address';
import type { NodeOptions } from './broker-node';
import { Lane, portClosed, type AddressBook, type Target } from './lane';
import type { ClusterAnswer } from './requests/cluster';
import type { WireRequest } from './wire';

export interface DirectoryOptions {
  /** The brokers the user named. */
  readonly seeds: readonly Address[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly node: NodeOptions;
  /** A Metadata request for no topics. */
  readonly describeCluster: () => WireRequest<ClusterAnswer>;
}

/** After this long without an answer the next broker is asked as well: one that hangs must not hide those that answer. */
const PATIENCE_MS = 1_000;

/**
 * The cluster's brokers, and what any of them may be asked. kafkajs' own broker pool is not used: its refresh describes every topic of the
 * cluster and fails on the first that has an error, and it never turns to another seed while one takes connections without answering.
 */
export class Directory implements AddressBook {
  /** Everything the brokers answer at once, so that nothing waits for long in it. */
  readonly lane: Lane;
  readonly #seeds: readonly Address[];
  readonly #clock: Clock;
  readonly #describeCluster: () => WireRequest<ClusterAnswer>;
  /** Never forgotten: a broker that is down is missing from metadata, and comes back. */
  readonly #addresses = new Map<NodeId, Address>();
  #live: readonly NodeId[] = [];
  #turn = 0;
  #refreshing: Promise<ClusterAnswer> | undefined;
  #closed = false;

  constructor({ seeds, clock, logger, node, describeCluster }: DirectoryOptions) {
    this.#seeds = seeds;
    this.#clock = clock;
    this.#describeCluster = describeCluster;
    this.lane = new Lane({ name: 'prompt', logger, addresses: this, node });
  }

  known(target: Target): Address | undefined {
    return typeof target === 'number' ? this.#addresses.get(target) : target;
  }

  async find(target: Target): Promise<Address> {
    await this.refresh();
    const address = this.known(target);
    if (address !== undefined) return address;
    const nodeId = Number(target);
    const cluster = this.#live.map((id) => `${id} (${this.#addresses.get(id)?.text ?? '?'})`).join(', ');
    throw new MillraceError('DISCONNECTED', `broker ${nodeId} is not in the cluster, which has ${cluster}`, {
      retryable: true,
      where: { broker: String(nodeId) },
    });
  }

  /** The only place where the list of brokers is asked for on our own account; callers share one request. */
  refresh(): Promise<ClusterAnswer> {
    this.#refreshing ??= this.ask(this.#describeCluster)
      .then((answer) => {
        this.learn(answer);
        return answer;
      })
      .finally(() => {
        this.#refreshing = undefined;
      });
    return this.#refreshing;
  }

  /** Takes over what any Metadata answer says. */
  learn({ brokers }: ClusterAnswer): void {
    if (brokers.length === 0) return; // a broker that has just started knows no other
    for (const { nodeId, host, port } of brokers) this.learnAddress(nodeId, host, port);
    this.#live = brokers.map(({ nodeId }) => nodeId);
    const addresses = new Set(this.#live.map((nodeId) => this.#addresses.get(nodeId)?.text));
    for (const seed of this.#seeds) if (!addresses.has(seed.text)) void this.lane.retire(seed);
  }

  learnAddress(nodeId: NodeId, host: string, port: number): void {
    const known = this.#addresses.get(nodeId);
    if (known?.host !== host || known.port !== port) this.#addresses.set(nodeId, addressOf(host, port));
  }

  /**
   * The first answer that any broker gives: those with a connection and the least to answer first, the user's
   * seeds last. `make` makes a request anew for each.
   * @throws BROKERS_UNREACHABLE when all have failed
   */
  ask<A>(make: () => WireRequest<A>): Promise<A> {
    const targets = this.#targets();
    const failures: MillraceError[] = [];
    return new Promise((resolve, reject) => {
      let underWay = 0;
      let patience: TimerHandle | undefined;
      const askNext = (): void => {
        patience?.cancel();
        const target = targets.shift();
        if (target !== undefined) {
          underWay += 1;
          patience = this.#clock.setTimer(PATIENCE_MS, askNext);
          this.lane.send(target, make()).then(settle(resolve), onFailure);
        } else if (underWay === 0) {
          reject(this.#closed ? portClosed() : unreachable(failures));
        }
      };
      const onFailure = (cause: unknown): void => {
        const error = cause as MillraceError;
        underWay -= 1;
        failures.push(error);
        if (error.retryable) askNext();
        else settle(reject)(error);
      };
      const settle =
        <T>(how: (outcome: T) => void) =>
        (outcome: T): void => {
          patience?.cancel();
          targets.length = 0;
          how(outcome);
        };
      askNext();
    });
  }

  #targets(): Target[] {
    this.#turn += 1;
    const nodes = this.#live.map((_, index, live) => live[(index + this.#turn) % live.length]!);
    // A broker that owes answers may be one that hangs.
    const byLoad = nodes
      .map((node) => ({ node, load: this.lane.load(node) }))
      .sort((a, b) => (a.load < b.load ? -1 : Number(a.load > b.load)));
    const addresses = new Set(nodes.map((node) => this.known(node)?.text));
    const seeds = this.#seeds.filter((seed) => !addresses.has(seed.text));
    return [...byLoad.map(({ node }) => node), ...seeds];
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.lane.close();
  }
}

function unreachable(failures: readonly MillraceError[]): MillraceError {
  const each = failures.map(({ message }) => message).join('; ');
  const broker = failures.map(({ where }) => where.broker ?? '?').join(', ');
  const hungUp = failures.some(({ cause }) => cause instanceof Error && cause.name === 'KafkaJSConnectionClosedError');
  const hint = hungUp ? '. A broker that hangs up at once may want the option ssl or sasl, or not want it' : '';
  return new MillraceError('BROKERS_UNREACHABLE', `no broker answered: ${each}${hint}`, {
    cause: failures.at(-1),
    retryable: true,
    where: { broker },
  });
}
