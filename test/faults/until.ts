const LOOK_EVERY_MS = 25;

/**
 * Looks until there is something else than undefined and false, and gives it. Never a pause of a fixed length: every wait is for a
 * condition, and has its end.
 *
 * @throws naming what was waited for, and `seen` at the end of it
 */
export async function until<T>(
  what: string,
  withinMs: number,
  look: () => T | Promise<T>,
  seen: () => unknown = () => undefined,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + withinMs;
  let trouble: string | undefined;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== false && found !== null) return found as NonNullable<Exclude<T, false>>;
      trouble = undefined;
    } catch (error) {
      if (error instanceof Impossible) throw error;
      // A broker that is away, say: it may be back at the next look.
      trouble = error instanceof Error ? error.message : JSON.stringify(error);
    }
    if (performance.now() > deadline) {
      const more = trouble === undefined ? JSON.stringify(seen()) : trouble;
      throw new Error(`not within ${withinMs / 1_000} s: ${what}${more === undefined ? '' : ` (${more})`}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** What is waited for will not come: ends the waiting. */
export class Impossible extends Error {}
