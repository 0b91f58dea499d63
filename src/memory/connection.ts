import { MillraceError } from '../errors/millrace-error';
import type { Clock, TimerHandle } from '../time/clock';
import type { AnyAnswer, Call } from './call';
import type { FaultAction, Faults } from './faults';
import { refusedAnswer } from './refused-answer';

/** Executes a request; the answer may come much later, once. */
export type Execute = (call: Call, answer: (answer: AnyAnswer) => void) => void;

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly execute: Execute;
  /** ms from the client to the broker, and back, drawn anew for each way. 0: a turn of the clock. */
  readonly latencyMs: (call: Call) => number;
}

interface Exchange {
  readonly call: Call;
  readonly resolve: (answer: AnyAnswer) => void;
  readonly reject: (error: MillraceError) => void;
  readonly timer: TimerHandle;
}

/** One socket's life. Events that come after its end find it broken. */
class Session {
  broken = false;
  /** Sent and not answered, in the order of sending. */
  readonly outstanding = new Set<Exchange>();
  readonly onTheWay: Exchange[] = [];
  readonly arrived: Exchange[] = [];
  readonly answers: { readonly exchange: Exchange; readonly answer: AnyAnswer }[] = [];
  isBusy = false;
}

/**
 * One client's connection to one node. Requests arrive, are executed and are answered one after the other, in the order of sending;
 * every one of these steps is a turn of the clock of its own.
 */
export class Connection {
  #session = new Session();
  #isClosed = false;

  constructor(private readonly options: ConnectionOptions) {}

  send(call: Call, timeoutMs: number): Promise<AnyAnswer> {
    if (this.#isClosed) return Promise.reject(disconnected(call, 'this port was closed by close()'));
    const session = this.#session;
    return new Promise((resolve, reject) => {
      const timer = this.options.clock.setTimer(timeoutMs, () => this.#timeOut(session, exchange, timeoutMs));
      const exchange: Exchange = { call, resolve, reject, timer };
      session.outstanding.add(exchange);
      session.onTheWay.push(exchange);
      this.#travel(session, call, () => this.#arrive(session));
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#break(this.#session, 'this port was closed by close()');
  }

  /** The next request gets a new one. */
  break(why: string): void {
    this.#break(this.#session, why);
  }

  /** What travels cannot be overtaken: each arrival is that of the first under way. */
  #travel(session: Session, call: Call, arrive: () => void): void {
    const unlessBroken = (): void => {
      if (!session.broken) arrive();
    };
    const ms = this.options.latencyMs(call);
    if (ms > 0) this.options.clock.setTimer(ms, unlessBroken);
    else this.options.clock.setImmediate(unlessBroken);
  }

  #arrive(session: Session): void {
    session.arrived.push(session.onTheWay.shift()!);
    if (!session.isBusy) this.#next(session);
  }

  #next(session: Session): void {
    const exchange = session.arrived.shift();
    session.isBusy = exchange !== undefined;
    if (exchange === undefined) return;
    const fault = this.options.faults.take(exchange.call);
    if (fault === undefined) this.#execute(session, exchange);
    else this.#strike(session, exchange, fault);
  }

  #strike(session: Session, exchange: Exchange, fault: FaultAction): void {
    const { clock, execute } = this.options;
    const why = 'the connection broke';
    switch (fault.kind) {
      case 'fail before':
        this.#break(session, why);
        break;
      case 'lose answer':
        execute(exchange.call, () => undefined);
        if (fault.then !== 'hang') this.#break(session, why);
        break;
      case 'hang':
        if (fault.executeAfterMs !== undefined) this.#executeLater(session, exchange, fault.executeAfterMs);
        break;
      case 'delay':
        clock.setTimer(fault.ms, () => {
          if (!session.broken) this.#execute(session, exchange);
        });
        break;
      case 'duplicate later':
        this.#executeLater(session, exchange, fault.afterMs);
        this.#break(session, why);
        break;
      case 'answer':
        this.#answer(session, exchange, refusedAnswer(exchange.call, fault.errorCode));
        break;
    }
  }

  #execute(session: Session, exchange: Exchange): void {
    this.options.execute(exchange.call, (answer) => {
      if (!session.broken) this.#answer(session, exchange, answer);
    });
  }

  #answer(session: Session, exchange: Exchange, answer: AnyAnswer): void {
    session.answers.push({ exchange, answer });
    this.#travel(session, exchange.call, () => {
      const delivered = session.answers.shift()!;
      session.outstanding.delete(delivered.exchange);
      delivered.exchange.timer.cancel();
      delivered.exchange.resolve(delivered.answer);
    });
    this.options.clock.setImmediate(() => {
      if (!session.broken) this.#next(session);
    });
  }

  /** The bytes have reached the broker: it executes them, and those that came behind them, whether or not anybody still waits. */
  #executeLater(session: Session, exchange: Exchange, ms: number): void {
    this.options.clock.setTimer(ms, () => {
      if (session.broken) for (const { call } of [exchange, ...session.arrived]) this.options.execute(call, () => undefined);
      else this.#execute(session, exchange);
    });
  }

  #timeOut(session: Session, exchange: Exchange, timeoutMs: number): void {
    const { api, node } = exchange.call;
    session.outstanding.delete(exchange);
    const message = `broker ${node} did not answer ${api} within ${timeoutMs} ms`;
    exchange.reject(new MillraceError('REQUEST_TIMED_OUT', message, { retryable: true, where: { broker: String(node) } }));
    this.#break(session, 'a request before it was not answered in time, the connection was given up');
  }

  #break(session: Session, why: string): void {
    if (session.broken) return;
    session.broken = true;
    if (session === this.#session) this.#session = new Session();
    for (const exchange of session.outstanding) {
      exchange.timer.cancel();
      exchange.reject(disconnected(exchange.call, why));
    }
    session.outstanding.clear();
  }
}

function disconnected({ api, node }: Call, why: string): MillraceError {
  const message = `${api} to broker ${node} was not answered: ${why}`;
  return new MillraceError('DISCONNECTED', message, { retryable: true, where: { broker: String(node) } });
}
