/** A TCP server that speaks as much of the protocol as a test scripts: for what a real broker does not do when asked. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { Reader, Writer } from '../../src/kafkajs/bytes';
import { exchanges } from '../../src/kafkajs/requests/all';

export interface Asked {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string;
  /** Behind the header (and its tags). */
  readonly body: Reader;
  readonly socket: Socket;
}
/** The body of the answer (with the tags of its header); undefined: none for now. */
export type Script = (asked: Asked) => Buffer | undefined;

export interface ScriptedBroker {
  readonly address: string;
  readonly port: number;
  /** Names of what was asked, ApiVersions too. */
  readonly asked: string[];
  /** Connections accepted so far. */
  readonly accepted: () => number;
  readonly open: () => number;
  close(): Promise<void>;
}

export interface ScriptedBrokerOptions {
  readonly script?: Script;
  /** By API key. Default: exactly what millrace needs. */
  readonly versions?: ReadonlyMap<number, readonly [number, number]>;
  /** Takes connections and says nothing. */
  readonly mute?: boolean;
  readonly tls?: TlsOptions;
}

const API_VERSIONS = 18;
const nameOf = (apiKey: number): string => exchanges.find(({ key }) => key === apiKey)?.name ?? `api ${apiKey}`;
const flexible = (apiKey: number): boolean => exchanges.some((exchange) => exchange.key === apiKey && exchange.flexible);

export const neededVersions = (): Map<number, readonly [number, number]> =>
  new Map(exchanges.map(({ key, version }) => [key, [version, version]] as const));

export function answerFrame(correlationId: number, body: Buffer): Buffer {
  return new Writer()
    .int32(4 + body.length)
    .int32(correlationId)
    .raw(body)
    .finish();
}

/** Metadata v10: these brokers, no topics. */
export function clusterOf(...brokers: readonly { readonly port: number }[]): Buffer {
  return new Writer()
    .tags()
    .int32(0)
    .compactArray(brokers, (writer, { port }) =>
      writer
        .int32(brokers.findIndex((broker) => broker.port === port))
        .compactString('127.0.0.1')
        .int32(port)
        .compactString(null)
        .tags(),
    )
    .compactString('scripted')
    .int32(0)
    .compactArray([], () => undefined)
    .tags()
    .finish();
}

/** Heartbeat v3 and whatever else is throttle time and code. */
export const codeAnswer = (errorCode: number, throttleMs = 0): Buffer => new Writer().int32(throttleMs).int16(errorCode).finish();

function versionsAnswer(versions: ReadonlyMap<number, readonly [number, number]>): Buffer {
  const all = [...versions].map(([key, [from, to]]) => [key, from, to] as const);
  return new Writer()
    .int16(0)
    .array(all, (writer, [key, from, to]) => writer.int16(key).int16(from).int16(to))
    .int32(0)
    .finish();
}

function readFrame(frame: Buffer, socket: Socket): Asked {
  const reader = new Reader(frame);
  const asked = { apiKey: reader.int16(), apiVersion: reader.int16(), correlationId: reader.int32(), clientId: reader.string() };
  if (flexible(asked.apiKey)) reader.tags();
  return { ...asked, body: reader, socket };
}

/** Calls back with each frame, without its size. */
export function frames(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let bytes: Buffer = Buffer.alloc(0);
  return (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
      const end = 4 + bytes.readInt32BE(0);
      onFrame(bytes.subarray(4, end));
      bytes = bytes.subarray(end);
    }
  };
}

export async function scriptedBroker(options: ScriptedBrokerOptions = {}): Promise<ScriptedBroker> {
  const { script = () => undefined, versions = neededVersions(), mute = false, tls } = options;
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  let accepted = 0;
  const onSocket = (socket: Socket): void => {
    accepted += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on(
      'data',
      frames((frame) => {
        const request = readFrame(frame, socket);
        asked.push(request.apiKey === API_VERSIONS ? 'ApiVersions' : nameOf(request.apiKey));
        if (mute) return;
        const body = request.apiKey === API_VERSIONS ? versionsAnswer(versions) : script(request);
        if (body !== undefined) socket.write(answerFrame(request.correlationId, body));
      }),
    );
  };
  const server: Server = tls === undefined ? createServer(onSocket) : createTlsServer(tls, onSocket);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    port,
    asked,
    accepted: () => accepted,
    open: () => sockets.size,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      if (server.listening) await once(server, 'close');
    },
  };
}
