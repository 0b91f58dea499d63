import { MillraceError } from '../../src/errors/millrace-error';
import type { Duration } from '../../src/model/duration';
import type { KafkaRecord, Placement } from '../../src/model/record';
import type { Project } from '../operator';

/** Asks for what belongs to an id. `signal` is aborted when the answer has come too late, or nobody waits for it any more. */
export type LookupFetch<I, R> = (id: I, signal: AbortSignal) => Promise<R>;

/** Answers of a `lookup` kept in memory, by task; a restart begins without any. */
export interface LookupCache {
  /** ms, > 0, for which an answer is given again; Infinity: as long as there is room. */
  readonly ttl: Duration;
  /** Answers kept for each task; those used longest ago go first. */
  readonly max: number;
}

/** Of `lookup`. */
export interface LookupOptions<K, V, P extends Placement, I> {
  /** What to ask for. */
  readonly id: Project<K, V, P, I>;
  /** Records for which a task asks at the same time. Default 8. */
  readonly concurrency?: number;
  /**
   * Answers to keep, in memory. Ids are then compared as the keys of a Map are, so that they must be no objects; for an id that is being
   * asked for nobody asks again. Default: each record asks anew.
   */
  readonly cache?: LookupCache;
  /** ms, > 0, after which no answer is an error. Default 30 seconds. */
  readonly timeout?: Duration;
}

/** The same with every default, checked. */
export interface CheckedLookup<K, V, I> {
  readonly id: (value: V, record: KafkaRecord<K, V, Placement>) => I;
  readonly concurrency: number;
  readonly cache: LookupCache | undefined;
  readonly timeout: Duration;
}

/** What a timer of Node takes at most. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
const DEFAULT_CONCURRENCY = 8;
const DEFAULT_TIMEOUT_MS = 30_000;

/** @throws CONFIG naming the option */
export function checkLookup<K, V, P extends Placement, I>(operator: string, options: LookupOptions<K, V, P, I>): CheckedLookup<K, V, I> {
  const { id, concurrency = DEFAULT_CONCURRENCY, cache, timeout = DEFAULT_TIMEOUT_MS } = options;
  const refuse = (option: string, problem: string): MillraceError =>
    new MillraceError('CONFIG', `${operator}: the option ${option} ${problem}`, { where: { operator, option } });
  if (typeof id !== 'function') throw refuse('id', 'is no function; it gives what to ask for');
  if (!isCount(concurrency)) throw refuse('concurrency', `is ${String(concurrency)}; it must be a whole number > 0`);
  if (!isCount(timeout) || timeout > LONGEST_TIMEOUT_MS) {
    throw refuse('timeout', `is ${String(timeout)}; it must be a whole number of ms > 0 and < 2^31, or left out`);
  }
  if (cache !== undefined) {
    const { ttl, max } = cache;
    if (!isCount(ttl) && ttl !== Infinity) throw refuse('cache.ttl', `is ${String(ttl)}; it must be a whole number of ms > 0, or Infinity`);
    if (!isCount(max)) throw refuse('cache.max', `is ${String(max)}; it must be a whole number > 0`);
  }
  return { id: id as CheckedLookup<K, V, I>['id'], concurrency, cache, timeout };
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}
