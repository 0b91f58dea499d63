import { MillraceError } from '../../src/errors/millrace-error';
import { runtime, type StoreRuntime, type TimerRuntime } from '../../src/state/handle';
import type { Scope } from '../../src/state/scope';

type Method = (a: unknown, b: unknown, c: unknown) => unknown;

/** One call of a function of the user's at a time: what stores do during it. */
export class Call {
  /** What its writes carry. */
  timestamp = 0;
  /** Timers that it sets for this time or an earlier one wait; -Infinity: none does. */
  heldUpTo = -Infinity;
  private under = false;

  begin(timestamp: number, heldUpTo: number): void {
    this.timestamp = timestamp;
    this.heldUpTo = heldUpTo;
    this.under = true;
  }

  end(): void {
    this.under = false;
  }

  get isUnderWay(): boolean {
    return this.under;
  }
}

/**
 * The handles that a function of the user's gets: as they are, but writes carry the time of what the function is called for, and what
 * outlives its call (an async function whose push was undone, say) can change nothing any more.
 */
export function guardedStores<S extends Readonly<Record<string, unknown>>>(
  stores: S,
  runtimes: ReadonlyMap<string, StoreRuntime>,
  call: Call,
): S {
  const guarded: Record<string, unknown> = {};
  for (const [name, store] of runtimes) guarded[name] = guard(stores[name] as Readonly<Record<string, unknown>>, store, call);
  return guarded as S;
}

function guard(handle: Readonly<Record<string, unknown>>, store: StoreRuntime, call: Call): object {
  const { scope } = store;
  const own = store.shape.kind === 'timer' ? timerMethods(store as TimerRuntime<unknown>, call) : handle;
  const methods = Object.entries(own).map(([name, method]): [string, unknown] => {
    if (typeof method !== 'function') return [name, method];
    return [name, during(call, scope, store.shape.name, method as Method)];
  });
  return { ...Object.fromEntries(methods), [runtime]: store };
}

function during(call: Call, scope: Scope, store: string, method: Method): Method {
  return (a, b, c) => {
    if (!call.isUnderWay) throw outlived(store);
    const before = scope.timestamp;
    scope.timestamp = call.timestamp;
    try {
      return method(a, b, c);
    } finally {
      scope.timestamp = before;
    }
  };
}

function timerMethods(timers: TimerRuntime<unknown>, call: Call): Record<string, (key: unknown, time: number) => void> {
  return {
    set: (key, time) => {
      timers.set(key, time, call.timestamp, time <= call.heldUpTo);
    },
    cancel: (key) => {
      timers.cancel(key, call.timestamp);
    },
  };
}

function outlived(store: string): MillraceError {
  return new MillraceError(
    'PROCESSING',
    `store ${store} is used after the call that it was given to has ended: await whatever uses it, or give up when the push is undone`,
    { where: { store } },
  );
}
