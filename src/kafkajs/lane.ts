import { MillraceError } from '../errors/millrace-error';
import type { NodeId } from '../kafka/port';
import type { Logger } from '../model/logger';
import type { Address } from './address';
import { BrokerNode, type NodeOptions } from './broker-node';
import { wireError } from './wire-error';
import type { WireRequest } from './wire';

/** A broker by its id, or one of those the user named, before it is known which id it has. */
export type Target = NodeId | Address;

export interface AddressBook {
  /** Undefined: unknown so far. */
  known(target: Target): Address | undefined;
  /** Asks the cluster if need be. @throws DISCONNECTED when it does not know the node either, BROKERS_UNREACHABLE */
  find(target: Target): Promise<Address>;
}

interface Waiting {
  readonly request: WireRequest<unknown>;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: MillraceError) => void;
}

export interface LaneOptions {
  /** For the log. */
  readonly name: string;
  readonly logger: Logger;
  readonly addresses: AddressBook;
  readonly node: NodeOptions;
}

export const portClosed = (): MillraceError => new MillraceError('DISCONNECTED', 'the connections of this port were closed by close()');

/**
 * One connection to each broker that is asked. Requests to a node leave in the order of the calls: at once while there is a connection,
 * else all together as soon as there is one.
 */
export class Lane {
  readonly #name: string;
  readonly #logger: Logger;
  readonly #addresses: AddressBook;
  readonly #nodeOptions: NodeOptions;
  readonly #nodes = new Map<string, BrokerNode>();
  readonly #waiting = new Map<Target, Waiting[]>();
  #closed = false;

  constructor({ name, logger, addresses, node }: LaneOptions) {
    this.#name = name;
    this.#logger = logger;
    this.#addresses = addresses;
    this.#nodeOptions = node;
  }

  /** How many requests wait for an answer; infinite: there is no connection. */
  load(target: Target): number {
    return this.#connectedNode(target)?.connectionPool.unanswered ?? Infinity;
  }

  send<A>(target: Target, request: WireRequest<A>): Promise<A> {
    if (this.#closed) return Promise.reject(portClosed());
    const waiting = this.#waiting.get(target);
    const node = waiting === undefined ? this.#connectedNode(target) : undefined;
    if (node !== undefined) return this.#exchange(node, request);
    return new Promise((resolve, reject) => {
      const entry = { request, resolve, reject };
      if (waiting === undefined) {
        this.#waiting.set(target, [entry]);
        void this.#open(target);
      } else {
        waiting.push(entry);
      }
    });
  }

  /** Ends the connection to an address if nothing is under way on it. */
  async retire(address: Address): Promise<void> {
    const node = this.#nodes.get(address.text);
    if (node === undefined || !node.isConnected() || node.connectionPool.unanswered > 0) return;
    this.#nodes.delete(address.text);
    await node.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const nodes = [...this.#nodes.values()];
    this.#nodes.clear();
    await Promise.all(nodes.map((node) => node.close()));
  }

  #connectedNode(target: Target): BrokerNode | undefined {
    const address = this.#addresses.known(target);
    const node = address === undefined ? undefined : this.#nodes.get(address.text);
    return node?.isConnected() === true ? node : undefined;
  }

  async #open(target: Target): Promise<void> {
    try {
      const node = await this.#connect(target);
      for (const { request, resolve, reject } of this.#takeWaiting(target)) this.#exchange(node, request).then(resolve as never, reject);
    } catch (error) {
      for (const { reject } of this.#takeWaiting(target)) reject(error as MillraceError);
    }
  }

  #takeWaiting(target: Target): readonly Waiting[] {
    const waiting = this.#waiting.get(target) ?? [];
    this.#waiting.delete(target);
    return waiting;
  }

  async #connect(target: Target): Promise<BrokerNode> {
    const address = this.#addresses.known(target) ?? (await this.#addresses.find(target));
    if (this.#closed) throw portClosed();
    let node = this.#nodes.get(address.text);
    if (node === undefined) this.#nodes.set(address.text, (node = new BrokerNode(address, this.#nodeOptions)));
    const broker = nameOf(target, address);
    try {
      await node.connect();
    } catch (error) {
      throw this.#failure(error, broker, undefined);
    }
    this.#logger.debug({ broker, lane: this.#name }, 'connected');
    return node;
  }

  async #exchange<A>(node: BrokerNode, request: WireRequest<A>): Promise<A> {
    try {
      return await node.connectionPool.send(request);
    } catch (error) {
      throw this.#failure(error, node.address.text, request.request.apiName);
    }
  }

  #failure(cause: unknown, broker: string, request: string | undefined): MillraceError {
    if (this.#closed) return portClosed();
    const error = wireError(cause, { broker, request });
    const fields = { broker, lane: this.#name, request, code: error.code };
    if (error.code === 'REQUEST_TIMED_OUT') this.#logger.warn(fields, error.message);
    else this.#logger.debug(fields, error.message);
    return error;
  }
}

const nameOf = (target: Target, { text }: Address): string => (typeof target === 'number' ? `${target} (${text})` : text);
