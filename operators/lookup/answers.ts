import { LRUCache } from 'lru-cache';
import type { FlightControl } from '../../src/state/in-flight';
import type { LookupCache } from './options';

/** An answer; that it is undefined is one too. */
export interface Answer<R> {
  readonly value: R;
}

/** Answers that may be given again. */
export interface Answers<I, R> {
  get(id: I): Answer<R> | undefined;
  set(id: I, answer: Answer<R>): void;
}

/** They stay when the task assembles its topology anew: they are neither committed nor undone. */
export function keptAnswers<I, R>(control: FlightControl, { ttl, max }: LookupCache): Answers<I, R> {
  return control.keep(() => {
    // What was put at 0 would never be too old for it, and with a resolution it sets timers of its own.
    const perf = { now: () => control.monotonic + 1 };
    const answers = new LRUCache<string, Answer<R>>({ max, ttl: ttl === Infinity ? 0 : ttl, ttlResolution: 0, perf });
    return answers as unknown as Answers<I, R>;
  });
}
