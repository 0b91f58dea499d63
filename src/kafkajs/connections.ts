/**
 * kafkajs' network layer with its defects repaired, in subclasses: the application may use kafkajs itself in this process, and its
 * prototypes stay as they are. Measured against a real broker:
 *
 * 1. Bytes of a half-received answer survived the reconnect: every later answer was lost.   → each socket starts with nothing
 * 2. Each of several first requests opened a socket of its own, all but one leaked.         → one attempt, shared
 * 3. A late event of a replaced socket hit its successor.                                   → events of any but the present socket are void
 * 4. disconnect() waited for what was in flight, up to its timeout.                         → it rejects it
 * 5. Two timers per connection ran for ever, one every millisecond.                         → a timer exists while something is in flight
 *
 * Further: a request overtook those that throttling had held back; a request timeout could lengthen the default, never shorten it; a
 * request that timed out left its connection in place, which on a dead route times out for a quarter of an hour; a body was copied twice
 * more on its way out; and small requests waited for the acknowledgement of those before them (Nagle).
 */
import type { Socket } from 'node:net';
import type { Clock, TimerHandle } from '../time/clock';
import { CORRELATION_ID_AT } from './exchange';
import {
  Connection,
  ConnectionPool,
  KafkaJSConnectionClosedError,
  KafkaJSConnectionError,
  RequestQueue,
  type ConnectionOptions,
  type PushedRequest,
  type RequestQueueOptions,
  type SocketRequest,
  type WireRequest,
} from './wire';

interface LaneQueueOptions extends RequestQueueOptions {
  readonly clock: Clock;
  /** A request got no answer in time. */
  readonly onTimeout: () => void;
}

class LaneRequestQueue extends RequestQueue {
  readonly #clock: Clock;
  readonly #onTimeout: () => void;
  #check: TimerHandle | undefined;
  #checkAt = Infinity;

  constructor(options: LaneQueueOptions) {
    super(options);
    this.#clock = options.clock;
    this.#onTimeout = options.onTimeout;
  }

  override push(pushed: PushedRequest): void {
    if (this.pending.length > 0) this.checkPendingRequests();
    super.push(pushed);
  }

  override createSocketRequest(pushed: PushedRequest): SocketRequest {
    const request = super.createSocketRequest(pushed);
    if (pushed.requestTimeout !== null) request.requestTimeout = pushed.requestTimeout;
    return request;
  }

  override sendSocketRequest(request: SocketRequest): void {
    request.deadline = this.#clock.monotonic() + request.requestTimeout;
    super.sendSocketRequest(request);
    if (request.deadline < this.#checkAt) this.#checkLater(request.deadline, request.requestTimeout);
  }

  override fulfillRequest(answer: { correlationId: number; payload: Buffer; size: number }): void {
    super.fulfillRequest(answer);
    if (this.inflight.size === 0) this.#cancelCheck();
  }

  override scheduleCheckPendingRequests(): void {
    if (this.pending.length > 0) super.scheduleCheckPendingRequests();
  }

  override destroy(): void {
    super.destroy();
    this.#cancelCheck();
  }

  #checkLater(at: number, ms: number): void {
    this.#check?.cancel();
    this.#checkAt = at;
    this.#check = this.#clock.setTimer(ms, () => this.#timeOut());
  }

  #cancelCheck(): void {
    this.#check?.cancel();
    this.#check = undefined;
    this.#checkAt = Infinity;
  }

  #timeOut(): void {
    this.#cancelCheck();
    const now = this.#clock.monotonic();
    const inFlight = [...this.inflight.values()];
    const overdue = inFlight.filter(({ deadline }) => deadline <= now);
    for (const request of overdue) request.timeoutRequest();
    if (overdue.length > 0) this.#onTimeout();
    else if (inFlight.length > 0) {
      const next = Math.min(...inFlight.map(({ deadline }) => deadline));
      this.#checkLater(next, next - now);
    }
  }
}

export interface LaneConnectionOptions extends ConnectionOptions {
  readonly clock: Clock;
}

/** One socket at a time to one broker. Its requests leave in the order of the calls of `send`. */
export class LaneConnection extends Connection {
  readonly #clock: Clock;
  readonly #connectionTimeoutMs: number;
  #opening: Promise<boolean> | undefined;
  /** Ends the attempt to connect, while there is one. */
  #giveUp: ((error: Error) => void) | undefined;

  constructor(options: LaneConnectionOptions) {
    super(options);
    this.#clock = options.clock;
    this.#connectionTimeoutMs = options.connectionTimeout;
    this.requestQueue = new LaneRequestQueue({
      clock: options.clock,
      onTimeout: () => this.end(this.#closed('a request was not answered in time, the connection was given up')),
      maxInFlightRequests: null,
      requestTimeout: options.requestTimeout,
      enforceRequestTimeout: true,
      clientId: options.clientId,
      broker: `${options.host}:${options.port}`,
      logger: options.logger,
      isConnected: () => this.isConnected(),
    });
  }

  get #broker(): string {
    return `${this.host}:${this.port}`;
  }

  #closed(why: string): Error {
    return new KafkaJSConnectionClosedError(why, { host: this.host, port: this.port });
  }

  override connect(): Promise<boolean> {
    if (this.isConnected()) return Promise.resolve(true);
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  #open(): Promise<boolean> {
    this.chunks = [];
    this.bytesBuffered = 0;
    this.bytesNeeded = 4;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(this.#connectionTimeoutMs, () =>
        this.end(new KafkaJSConnectionError(`no connection within ${this.#connectionTimeoutMs} ms`, { broker: this.#broker })),
      );
      this.#giveUp = (error) => {
        timer.cancel();
        reject(error);
      };
      try {
        this.socket = this.#createSocket(() => {
          timer.cancel();
          this.#giveUp = undefined;
          this.connectionStatus = 'connected';
          resolve(true);
        });
      } catch (cause) {
        // TLS options that Node refuses.
        timer.cancel();
        this.#giveUp = undefined;
        reject(cause instanceof Error ? cause : new Error(String(cause)));
      }
    });
  }

  #createSocket(onConnect: () => void): Socket {
    const ifPresent =
      <A extends unknown[]>(handle: (...args: A) => void) =>
      (...args: A): void => {
        if (this.socket === socket) handle(...args);
      };
    const socket = this.socketFactory({ host: this.host, port: this.port, ssl: this.ssl, onConnect: ifPresent(onConnect) });
    socket.setNoDelay(true);
    socket.on(
      'data',
      ifPresent((data: Buffer) => this.processData(data)),
    );
    socket.on(
      'error',
      ifPresent((cause: NodeJS.ErrnoException) =>
        this.end(new KafkaJSConnectionError(cause.message, { broker: this.#broker, code: cause.code })),
      ),
    );
    const onEnd = ifPresent(() => this.end(this.#closed('the broker closed the connection')));
    socket.on('end', onEnd);
    socket.on('close', onEnd);
    return socket;
  }

  /** Gives the socket up, at once: what is in flight, and what waits, is rejected with `error`. */
  end(error: Error): void {
    const { socket } = this;
    if (socket === undefined) return;
    this.socket = undefined;
    this.connectionStatus = 'disconnected';
    this.authenticatedAt = null;
    socket.destroy();
    this.requestQueue.destroy();
    this.authHandlers?.onError();
    this.#giveUp?.(error);
    this.#giveUp = undefined;
    this.requestQueue.rejectAll(error);
  }

  /** Resolves when the socket is closed. */
  override async disconnect(): Promise<boolean> {
    const { socket } = this;
    if (socket === undefined) return true;
    // Not `socket.closed`, which is true before the handle is gone.
    const gone = new Promise((resolve) => socket.once('close', resolve));
    this.end(this.#closed('the connection was closed on this side'));
    await gone;
    return true;
  }

  override send<A>(wireRequest: WireRequest<A>): Promise<A> {
    // What kafkajs asks of itself, before anything of ours: ApiVersions and SASL.
    if (wireRequest.request.frame === undefined) return super.send(wireRequest);
    return this.#sendFrame(wireRequest, wireRequest.request.frame);
  }

  #sendFrame<A>({ request, response, requestTimeout }: WireRequest<A>, frame: Buffer): Promise<A> {
    return new Promise((resolve, reject) => {
      const { socket } = this;
      if (socket === undefined || !this.isConnected()) {
        reject(new KafkaJSConnectionError('not connected', { broker: this.#broker }));
        return;
      }
      const correlationId = this.nextCorrelationId();
      frame.writeInt32BE(correlationId, CORRELATION_ID_AT);
      const onAnswer = ({ payload }: { readonly payload: Buffer }): void => {
        try {
          const { clientSideThrottleTime, answer } = response.decode(payload);
          this.requestQueue.maybeThrottle(clientSideThrottleTime);
          resolve(answer);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      this.requestQueue.push({
        entry: {
          apiKey: request.apiKey,
          apiName: request.apiName,
          apiVersion: request.apiVersion,
          correlationId,
          resolve: onAnswer,
          reject,
        },
        expectResponse: true,
        requestTimeout,
        sendRequest: () => {
          socket.write(frame);
        },
      });
    });
  }
}

/** kafkajs keeps two connections in a pool, one for Fetch; a lane has one. */
export class LaneConnectionPool extends ConnectionPool {
  readonly #connection: LaneConnection;

  constructor(options: LaneConnectionOptions) {
    super(options);
    this.#connection = new LaneConnection(options);
    this.pool = [this.#connection];
  }

  override async getConnection(): Promise<LaneConnection> {
    await this.#connection.connect();
    return this.#connection;
  }

  /** At once when connected: no await stands between the calls and the wire. */
  override send<A>(request: WireRequest<A>): Promise<A> {
    if (this.#connection.isConnected()) return this.#connection.send(request);
    return this.#connection.connect().then(() => this.#connection.send(request));
  }

  /** How many requests are in flight or held back. */
  get unanswered(): number {
    const { inflight, pending } = this.#connection.requestQueue;
    return inflight.size + pending.length;
  }

  end(error: Error): void {
    this.#connection.end(error);
  }
}
