/**
 * The only place that reaches into kafkajs, and the types of what is taken. kafkajs has no `exports` map, so that its inner files can be
 * required; they are stable because the version is.
 */
import type { Socket } from 'node:net';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { KafkaConfig } from 'kafkajs';
import { MillraceError } from '../errors/millrace-error';

const WANTED = '2.2.4';
const found = (require('kafkajs/package.json') as { readonly version: string }).version;
if (found !== WANTED) {
  throw new MillraceError(
    'CONFIG',
    `kafkajs ${found} was installed where ${WANTED} is needed, whose inner files are used: remove the override or resolution of kafkajs`,
  );
}

export type Ssl = NonNullable<KafkaConfig['ssl']>;
export type Sasl = NonNullable<KafkaConfig['sasl']>;

/** What a broker says it speaks, by API key. */
export type ApiRanges = Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number } | undefined>>;

export interface WireLogger {
  namespace(name: string): WireLogger;
  debug(): void;
  info(): void;
  warn(): void;
  error(): void;
}

export interface RequestEntry {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly resolve: (answer: { readonly payload: Buffer }) => void;
  readonly reject: (error: Error) => void;
}
export interface PushedRequest {
  readonly entry: RequestEntry;
  readonly expectResponse: boolean;
  readonly requestTimeout: number | null;
  readonly sendRequest: () => void;
}
export interface SocketRequest {
  readonly entry: RequestEntry;
  requestTimeout: number;
  /** Ours: when it times out, on the monotonic clock. */
  deadline: number;
  timeoutRequest(): void;
}
export interface RequestQueueOptions {
  readonly maxInFlightRequests: number | null;
  readonly requestTimeout: number;
  readonly enforceRequestTimeout: boolean;
  readonly clientId: string;
  readonly broker: string;
  readonly logger: WireLogger;
  readonly isConnected: () => boolean;
}
/** Requests in flight and, while the broker throttles us, waiting. */
export interface WireRequestQueue {
  readonly inflight: ReadonlyMap<number, SocketRequest>;
  readonly pending: readonly SocketRequest[];
  createSocketRequest(pushed: PushedRequest): SocketRequest;
  sendSocketRequest(request: SocketRequest): void;
  push(pushed: PushedRequest): void;
  fulfillRequest(answer: { correlationId: number; payload: Buffer; size: number }): void;
  rejectAll(error: Error): void;
  maybeThrottle(milliseconds: number): void;
  scheduleCheckPendingRequests(): void;
  checkPendingRequests(): void;
  destroy(): void;
}

export type SocketFactory = (options: { host: string; port: number; ssl: TlsOptions | undefined; onConnect: () => void }) => Socket;

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly ssl: TlsOptions | undefined;
  readonly sasl: Sasl | undefined;
  readonly logger: WireLogger;
  readonly socketFactory: SocketFactory;
  readonly requestTimeout: number;
  readonly connectionTimeout: number;
}
/** A request as `connectionPool.send` takes it; ours carry a whole frame, those of kafkajs an encoder. */
export interface WireRequest<A> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    /** Size, header and body in one buffer; the correlation id is stamped when it is sent. */
    readonly frame?: Buffer;
  };
  readonly response: {
    readonly decode: (payload: Buffer) => { readonly clientSideThrottleTime: number; readonly answer: A };
  };
  readonly requestTimeout: number | null;
}
export interface WireConnection {
  readonly host: string;
  readonly port: number;
  readonly ssl: TlsOptions | undefined;
  readonly socketFactory: SocketFactory;
  readonly authHandlers: { onError(): void } | null;
  socket: Socket | undefined;
  connectionStatus: 'connected' | 'disconnecting' | 'disconnected';
  authenticatedAt: [number, number] | null;
  requestQueue: WireRequestQueue;
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
  isConnected(): boolean;
  isAuthenticated(): boolean;
  authenticate(): Promise<void>;
  connect(): Promise<boolean>;
  disconnect(): Promise<boolean>;
  send<A>(request: WireRequest<A>): Promise<A>;
  processData(data: Buffer): void;
  nextCorrelationId(): number;
}
export interface WireConnectionPool {
  readonly host: string;
  readonly port: number;
  pool: WireConnection[];
  isConnected(): boolean;
  send<A>(request: WireRequest<A>): Promise<A>;
  getConnection(): Promise<WireConnection>;
  setVersions(versions: ApiRanges): void;
  setSupportAuthenticationProtocol(isSupported: boolean): void;
  destroy(): Promise<void>;
}
export interface BrokerOptions {
  readonly connectionPool: WireConnectionPool;
  readonly logger: WireLogger;
}
export interface WireBroker {
  readonly connectionPool: WireConnectionPool;
  versions: ApiRanges | null;
  isConnected(): boolean;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  apiVersions(): Promise<ApiRanges>;
}

type Constructor<O, T> = new (options: O) => T;

export const RequestQueue = require('kafkajs/src/network/requestQueue') as Constructor<RequestQueueOptions, WireRequestQueue>;
export const Connection = require('kafkajs/src/network/connection') as Constructor<ConnectionOptions, WireConnection>;
export const ConnectionPool = require('kafkajs/src/network/connectionPool') as Constructor<ConnectionOptions, WireConnectionPool>;
export const Broker = require('kafkajs/src/broker') as Constructor<BrokerOptions, WireBroker>;
export const createSocketFactory = require('kafkajs/src/network/socketFactory') as () => SocketFactory;

type ConnectionErrorConstructor = new (message: string, where: { broker: string; code?: string | undefined }) => Error;
type ClosedErrorConstructor = new (message: string, where: { host: string; port: number }) => Error;
const errors = require('kafkajs/src/errors') as {
  readonly KafkaJSConnectionError: ConnectionErrorConstructor;
  readonly KafkaJSConnectionClosedError: ClosedErrorConstructor;
};
export const { KafkaJSConnectionError, KafkaJSConnectionClosedError } = errors;

/** kafkajs says nothing: what matters reaches the caller as an error. */
export const silentWireLogger: WireLogger = {
  namespace: () => silentWireLogger,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
