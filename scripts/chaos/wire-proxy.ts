/** TCP between one instance and the brokers: loses answers, holds requests back until after their retry, cuts connections. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { StruckRequest } from './schedule';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** Kafka's numbers of requests. */
export const API_KEYS: Readonly<Record<StruckRequest | 'Metadata' | 'FindCoordinator', number>> = {
  Produce: 0,
  Fetch: 1,
  Metadata: 3,
  OffsetFetch: 9,
  FindCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  SyncGroup: 14,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  AddOffsetsToTxn: 25,
  EndTxn: 26,
  TxnOffsetCommit: 28,
};
/** Only these name brokers. */
const NAMING_BROKERS: ReadonlySet<number> = new Set([API_KEYS.Metadata, API_KEYS.FindCoordinator]);

type Strike =
  | { readonly what: 'loseAnswer'; readonly apiKey: number }
  | { readonly what: 'holdRequest'; readonly apiKey: number; readonly delayMs: number }
  | { readonly what: 'breakAnswer' };

interface Armed {
  readonly strike: Strike;
  readonly struck: () => void;
}

/** A broker's address as Metadata and FindCoordinator write it, in their flexible versions and in those before: the tail is the same. */
function written({ host, port }: BrokerAddress): Buffer {
  const bytes = Buffer.alloc(host.length + 4);
  bytes.write(host, 'latin1');
  bytes.writeInt32BE(port, host.length);
  return bytes;
}

/** Length, then that many bytes, again and again. Gives each with its length in front. */
export function splitFrames(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let waiting: Buffer[] = [];
  let length = 0;
  return (chunk) => {
    waiting.push(chunk);
    length += chunk.length;
    if (length < 4) return;
    let bytes = waiting.length === 1 ? chunk : undefined;
    if (bytes === undefined) {
      // A large frame is put together once, not once a chunk.
      const first = waiting[0]!;
      if (first.length >= 4 && length < 4 + first.readInt32BE(0)) return;
      bytes = Buffer.concat(waiting);
    }
    let at = 0;
    while (bytes.length - at >= 4 && bytes.length - at >= 4 + bytes.readInt32BE(at)) {
      const end = at + 4 + bytes.readInt32BE(at);
      onFrame(bytes.subarray(at, end));
      at = end;
    }
    const rest = bytes.subarray(at);
    waiting = rest.length === 0 ? [] : [rest];
    length = rest.length;
  };
}

/** All brokers, as one instance sees them. */
export class WireProxies {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #names: { readonly from: Buffer; readonly to: Buffer }[] = [];
  readonly #late = new Set<NodeJS.Timeout>();
  readonly #addresses: string[] = [];
  #armed: Armed | undefined;

  static async between(brokers: readonly BrokerAddress[]): Promise<WireProxies> {
    const proxies = new WireProxies();
    for (const broker of brokers) await proxies.#listenFor(broker);
    return proxies;
  }

  /** `host:port` in place of the brokers', in their order. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** The next such request takes effect, its answer never comes: the connection breaks. */
  loseAnswer(request: StruckRequest, withinMs: number): Promise<boolean> {
    return this.#strike({ what: 'loseAnswer', apiKey: API_KEYS[request] }, withinMs);
  }

  /** The connection breaks at the next such request; the bytes of that request reach the broker `delayMs` later, as if held up on the way. */
  holdRequest(request: StruckRequest, delayMs: number, withinMs: number): Promise<boolean> {
    return this.#strike({ what: 'holdRequest', apiKey: API_KEYS[request], delayMs }, withinMs);
  }

  /** The next answer breaks off in its middle. */
  breakAnswer(withinMs: number): Promise<boolean> {
    return this.#strike({ what: 'breakAnswer' }, withinMs);
  }

  /** Gives how many connections there were. */
  cut(): number {
    const cut = this.#sockets.size;
    for (const socket of this.#sockets) socket.destroy();
    return cut;
  }

  async close(): Promise<void> {
    for (const timer of this.#late) clearTimeout(timer);
    this.cut();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  /** False: nothing came along to be struck. One at a time: what is armed already is replaced. */
  #strike(strike: Strike, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        if (this.#armed === armed) this.#armed = undefined;
        resolve(false);
      }, withinMs);
      const armed: Armed = {
        strike,
        struck: () => {
          this.#armed = undefined;
          clearTimeout(timer);
          resolve(true);
        },
      };
      this.#armed = armed;
    });
  }

  async #listenFor(broker: BrokerAddress): Promise<void> {
    const server = createServer((client) => {
      this.#carry(client, broker);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    this.#servers.push(server);
    this.#addresses.push(`127.0.0.1:${port}`);
    this.#names.push({ from: written(broker), to: written({ host: '127.0.0.1', port }) });
  }

  #carry(client: Socket, broker: BrokerAddress): void {
    const upstream = connect(broker);
    const asked = new Map<number, number>();
    const losing = new Set<number>();
    const end = (): void => {
      this.#sockets.delete(client);
      client.destroy();
      upstream.destroy();
    };
    this.#sockets.add(client);
    client.setNoDelay(true).on('error', end).on('close', end);
    upstream.setNoDelay(true).on('error', end).on('end', end);
    const onRequest = (frame: Buffer): void => {
      const [apiKey, correlation] = [frame.readInt16BE(4), frame.readInt32BE(8)];
      const { strike, struck } = this.#armed ?? {};
      if (strike?.what === 'holdRequest' && strike.apiKey === apiKey) {
        struck?.();
        this.#sendLate(Buffer.from(frame), broker, strike.delayMs);
        end();
        return;
      }
      if (strike?.what === 'loseAnswer' && strike.apiKey === apiKey) {
        struck?.();
        losing.add(correlation);
      }
      if (NAMING_BROKERS.has(apiKey)) asked.set(correlation, apiKey);
      if (!upstream.destroyed) upstream.write(frame);
    };
    const onAnswer = (frame: Buffer): void => {
      const correlation = frame.readInt32BE(4);
      if (losing.has(correlation)) {
        end();
        return;
      }
      const { strike, struck } = this.#armed ?? {};
      if (strike?.what === 'breakAnswer') {
        struck?.();
        upstream.destroy();
        client.write(frame.subarray(0, frame.length >>> 1), () => client.destroy());
        return;
      }
      client.write(asked.delete(correlation) ? this.#renamed(frame) : frame);
    };
    client.on('data', splitFrames(onRequest));
    upstream.on('data', splitFrames(onAnswer));
  }

  /** Each broker gets the address of its proxy; both are as long. */
  #renamed(frame: Buffer): Buffer {
    const body = Buffer.from(frame);
    const places = this.#names.flatMap(({ from, to }) => {
      const found: { at: number; to: Buffer }[] = [];
      for (let at = body.indexOf(from); at >= 0; at = body.indexOf(from, at + 1)) found.push({ at, to });
      return found;
    });
    for (const { at, to } of places) to.copy(body, at);
    return body;
  }

  #sendLate(frame: Buffer, broker: BrokerAddress, delayMs: number): void {
    const timer = setTimeout(() => {
      this.#late.delete(timer);
      const socket = connect(broker, () => socket.write(frame));
      // One answer, which nobody reads; the broker may be away.
      socket.setTimeout(10_000, () => socket.destroy());
      socket.on('data', () => socket.destroy()).on('error', () => socket.destroy());
    }, delayMs);
    this.#late.add(timer);
  }
}
