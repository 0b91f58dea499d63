import type { Address } from './address';
import type { Clock } from '../time/clock';
import { MillraceError } from '../errors/millrace-error';
import { LaneConnectionPool, type LaneConnectionOptions } from './connections';
import { exchanges } from './requests/all';
import { Broker, KafkaJSConnectionClosedError, KafkaJSConnectionError, type ApiRanges } from './wire';
import { isSaslRefusal } from './wire-error';

/** Everything a connection needs but its address. */
export type NodeOptions = Omit<LaneConnectionOptions, 'host' | 'port'>;

const SASL_AUTHENTICATE = 36;

/** What we speak and the broker does not; undefined: nothing. */
export function unsupported(ranges: ApiRanges): string | undefined {
  const missing: string[] = [];
  for (const { key, version, name } of exchanges) {
    const range = ranges[key];
    if (range === undefined) missing.push(`${name} (${version} is needed, the broker has none)`);
    else if (version < range.minVersion || version > range.maxVersion) {
      missing.push(`${name} (${version} is needed, the broker has ${range.minVersion} to ${range.maxVersion})`);
    }
  }
  return missing.length === 0 ? undefined : missing.join(', ');
}

/** A kafkajs Broker of one lane: one connection, opened once however many ask, within one budget for TCP, TLS, versions and SASL. */
export class BrokerNode extends Broker {
  declare readonly connectionPool: LaneConnectionPool;
  readonly address: Address;
  readonly #clock: Clock;
  readonly #connectionTimeoutMs: number;
  #connecting: Promise<void> | undefined;
  #giveUp: ((error: Error) => void) | undefined;

  constructor(address: Address, options: NodeOptions) {
    const { host, port } = address;
    super({ connectionPool: new LaneConnectionPool({ ...options, host, port }), logger: options.logger });
    this.address = address;
    this.#clock = options.clock;
    this.#connectionTimeoutMs = options.connectionTimeout;
  }

  /** True only when a request may be sent now. */
  override isConnected(): boolean {
    return this.#connecting === undefined && super.isConnected();
  }

  override connect(): Promise<void> {
    if (this.isConnected()) return Promise.resolve();
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<void> {
    try {
      await this.#withinBudget(this.#open());
    } catch (error) {
      // kafkajs wraps whatever ends an authentication: only a broker that is still there has refused it.
      const cut = error instanceof Error && isSaslRefusal(error) && !this.connectionPool.isConnected();
      await this.disconnect();
      throw cut ? this.#closed(`the connection ended while authenticating: ${error.message}`) : error;
    }
  }

  /** As kafkajs' own connect(), without its lock, whose timers outlive a close. */
  async #open(): Promise<void> {
    // Asked again after every reconnect: the broker may have been another version before. Not while only SASL is renewed.
    if (!this.connectionPool.isConnected()) this.versions = null;
    const connection = await this.connectionPool.getConnection();
    this.versions ??= await this.apiVersions();
    this.connectionPool.setVersions(this.versions);
    this.connectionPool.setSupportAuthenticationProtocol(this.versions[SASL_AUTHENTICATE] !== undefined);
    await connection.authenticate();
    this.#checkVersions(this.versions);
  }

  #checkVersions(versions: ApiRanges): void {
    const missing = unsupported(versions);
    if (missing === undefined) return;
    throw new MillraceError('UNSUPPORTED_BROKER', `broker ${this.address.text} lacks ${missing}: all of it is in Apache Kafka 2.8 to 4.3`, {
      where: { broker: this.address.text },
    });
  }

  /** Whatever hangs: a host that takes connections and says nothing, or a token provider. */
  async #withinBudget(connected: Promise<void>): Promise<void> {
    const broker = this.address.text;
    const overdue = new Promise<never>((_, reject) => {
      this.#giveUp = reject;
    });
    const timer = this.#clock.setTimer(this.#connectionTimeoutMs, () => {
      this.#giveUp?.(
        new KafkaJSConnectionError(`no connection, versions and authentication within ${this.#connectionTimeoutMs} ms`, { broker }),
      );
    });
    try {
      await Promise.race([connected, overdue]);
    } finally {
      timer.cancel();
      this.#giveUp = undefined;
    }
  }

  #closed(why: string): Error {
    return new KafkaJSConnectionClosedError(why, this.address);
  }

  /** kafkajs calls this itself when a connection has ended: what is being attempted then fails with the reason for that. */
  override async disconnect(): Promise<void> {
    await this.connectionPool.destroy();
  }

  /** Ends the connection, and the attempt to open one. */
  async close(): Promise<void> {
    this.#giveUp?.(this.#closed('the connection was closed on this side'));
    await this.disconnect();
  }
}
