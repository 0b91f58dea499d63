/** TCP in between a port and a real cluster: counts sockets, and cuts one in the middle of an answer. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { MetadataAnswer } from '../../src/kafka/port';
import { Writer } from '../../src/kafkajs/bytes';
import { frames } from '../kafkajs/scripted-broker';

export interface WireProxy {
  readonly address: string;
  readonly port: number;
  /** Sockets taken so far, and those open now. */
  readonly accepted: () => number;
  readonly open: () => number;
  /** The next answer of at least that many bytes breaks off in the middle. */
  cutAnswerOf(bytes: number): void;
  close(): Promise<void>;
}

type Broker = MetadataAnswer['brokers'][number];
/** The brokers' addresses as Metadata v10 and FindCoordinator v3 write them. */
const written = (host: string, port: number): Buffer => new Writer().compactString(host).int32(port).finish();

/** Answers that name brokers are small; records are left alone. */
const LARGEST_WITH_ADDRESSES = 16_384;

function renamed(frame: Buffer, names: ReadonlyMap<Buffer, Buffer>): Buffer {
  let body = frame;
  for (const [from, to] of names) {
    for (let at = body.indexOf(from); at >= 0; at = body.indexOf(from, at + to.length)) {
      body = Buffer.concat([body.subarray(0, at), to, body.subarray(at + from.length)]);
    }
  }
  return body;
}

async function proxyOf(broker: Broker, names: ReadonlyMap<Buffer, Buffer>): Promise<WireProxy> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  let cutAt = Infinity;
  const onAnswer = (client: Socket, upstream: Socket, frame: Buffer): void => {
    const body = frame.length > LARGEST_WITH_ADDRESSES ? frame : renamed(frame, names);
    const answer = Buffer.concat([new Writer().int32(body.length).finish(), body]);
    if (answer.length < cutAt) {
      client.write(answer);
      return;
    }
    cutAt = Infinity;
    upstream.destroy();
    client.write(answer.subarray(0, answer.length >>> 1), () => client.destroy());
  };
  const server = createServer((client) => {
    accepted += 1;
    sockets.add(client);
    const upstream = connect({ host: broker.host, port: broker.port });
    const end = (): void => {
      sockets.delete(client);
      client.destroy();
      upstream.destroy();
    };
    client.on('error', end).on('close', end);
    upstream.on('error', end).on('end', end); // not on its close: after a cut the client's last bytes still have to leave
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on(
      'data',
      frames((frame) => {
        onAnswer(client, upstream, frame);
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${String(port)}`,
    port,
    accepted: () => accepted,
    open: () => sockets.size,
    cutAnswerOf: (bytes) => {
      cutAt = bytes;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A proxy for each broker, by node id; in answers each broker has the address of its proxy. */
export async function wireProxies(brokers: readonly Broker[]): Promise<ReadonlyMap<number, WireProxy>> {
  const names = new Map<Buffer, Buffer>();
  const proxies = new Map<number, WireProxy>();
  for (const broker of brokers) {
    const proxy = await proxyOf(broker, names);
    proxies.set(broker.nodeId, proxy);
    names.set(written(broker.host, broker.port), written('127.0.0.1', proxy.port));
  }
  return proxies;
}
