import type { Call } from './call';

export type FaultAction =
  /** The connection breaks before the request has taken effect; with it go the requests behind it. */
  | { readonly kind: 'fail before' }
  /** The request takes effect, then the connection breaks, or hangs until the caller's request timeout. */
  | { readonly kind: 'lose answer'; readonly then?: 'disconnect' | 'hang' }
  /** No answer until the caller's request timeout. With `executeAfterMs` the request, and what came behind it, takes effect then. */
  | { readonly kind: 'hang'; readonly executeAfterMs?: number }
  /** The broker takes that long, and what came behind it waits. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The connection breaks before; yet these bytes, and those behind them, are executed later: after the caller's retry. */
  | { readonly kind: 'duplicate later'; readonly afterMs: number }
  /** Answered with this code, without effect. */
  | { readonly kind: 'answer'; readonly errorCode: number };

export interface Fault {
  /** Asked once for each request, when it is its turn. */
  readonly match: (call: Call) => boolean;
  readonly action: FaultAction;
  /** How often. Default 1. */
  readonly times?: number;
}

export interface FaultHandle {
  /** How often it has struck. */
  readonly hits: number;
  remove(): void;
}

class Planned implements FaultHandle {
  hits = 0;

  constructor(
    readonly fault: Fault,
    private readonly plan: Set<Planned>,
  ) {}

  remove(): void {
    this.plan.delete(this);
  }

  strikes(call: Call): boolean {
    if (!this.fault.match(call)) return false;
    this.hits++;
    if (this.hits >= (this.fault.times ?? 1)) this.remove();
    return true;
  }
}

/** What is to go wrong. The first fault that matches a request strikes. */
export class Faults {
  readonly #plan = new Set<Planned>();

  add(fault: Fault): FaultHandle {
    const planned = new Planned(fault, this.#plan);
    this.#plan.add(planned);
    return planned;
  }

  clear(): void {
    this.#plan.clear();
  }

  /** For the broker: what happens to this request. */
  take(call: Call): FaultAction | undefined {
    for (const planned of this.#plan) if (planned.strikes(call)) return planned.fault.action;
    return undefined;
  }
}
