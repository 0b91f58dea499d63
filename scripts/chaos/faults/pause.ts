import { setTimeout as pauseFor } from 'node:timers/promises';

/** Shorter when time is up. */
export async function pause(ms: number, over: AbortSignal): Promise<void> {
  await pauseFor(ms, undefined, { signal: over }).catch(() => undefined);
}
