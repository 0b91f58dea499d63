import { setTimeout as pause } from 'node:timers/promises';

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly everyMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Looks again and again until `look` gives something else than undefined; undefined when that takes longer than `timeoutMs`. */
export async function waitUntil<T>(look: () => T | undefined | Promise<T | undefined>, options: WaitOptions): Promise<T | undefined> {
  const { timeoutMs, everyMs = 50, signal } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() >= deadline) return undefined;
    await pause(everyMs);
  }
}

/** What the promise gives, or undefined when it has not settled within `timeoutMs`. */
export async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  const timer = new AbortController();
  try {
    return await Promise.race([promise, pause(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
  } finally {
    timer.abort();
  }
}
