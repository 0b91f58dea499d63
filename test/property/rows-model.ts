/**
 * Windows that records make (sliding and counted ones, sessions): what the operators give for some inputs, restarted where the inputs say
 * so, and what a model needs to say the same. Aggregates are lists of the inputs' numbers, so that a record too many, too few or in the
 * wrong place shows.
 */
import type * as fc from 'fast-check';
import { right } from 'fp-ts/Either';
import { type OperatorFunction, Subject } from 'rxjs';
import type { LateRecord } from '../../operators';
import type { Codec } from '../../src/model/codec';
import type { KafkaRecord } from '../../src/model/record';
import type { SessionStore, StoreDefinition, WindowStore } from '../../src/model/store-definition';
import type { Window, Windowed } from '../../src/model/window';
import { Counted } from '../../src/state/counted';
import { memoryStore, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { rowsByKey } from '../../src/testing/store-rows';
import { type Input, someInputs } from './windows-model';

/** An input as operators see it: its number is its value. */
export interface Numbered {
  readonly at: number;
  readonly key: string;
  readonly timestamp: number;
  /** What was made of all that came before is deleted. */
  readonly deletes: boolean;
}

export type Numbers = readonly number[];

export interface Result {
  /** Number of the input that it came after. */
  readonly after: number;
  readonly key: string;
  readonly window: Window;
  readonly values: Numbers | null;
  readonly timestamp: number;
}

export interface Outcome {
  readonly results: readonly Result[];
  /** Number of the input and the window that refused it. */
  readonly late: readonly (readonly [number, Window])[];
  /** What the store shows in the end. */
  readonly rows: readonly string[];
  readonly dropped: number;
}

export const listOfNumbers: Codec<Numbers> = {
  encode: (values) => JSON.stringify(values),
  decode: (bytes) => right(JSON.parse(Buffer.from(bytes).toString()) as number[]),
};

export const collect = {
  initial: (): Numbers => [],
  add: (values: Numbers, { at, deletes }: Numbered): Numbers => (deletes ? null : [...values, at]) as Numbers,
};

/** The model's counterpart of `collect`. */
export function valuesOf(taken: readonly Numbered[]): Numbers | null {
  let values: Numbers | null = null;
  for (const { at, deletes } of taken) values = deletes ? null : [...(values ?? []), at];
  return values;
}

export const rowOf = (key: string, window: Window, values: Numbers | null, timestamp?: number): string =>
  JSON.stringify({ key, window, values, ...(timestamp !== undefined && { timestamp }) });

/** What is not dropped: inputs with a key and, where it matters, a value. */
export function numbered(inputs: readonly Input[], dropsNullValues: boolean): Numbered[] {
  const all = inputs.map(({ key, value, timestamp }, at) => ({ at, key, timestamp, value, deletes: value === 0 }));
  return all.filter((input): input is typeof input & { key: string } => input.key !== null && !(dropsNullValues && input.value === null));
}

/** The greatest timestamp among inputs up to `at`; -1 at first. */
export function streamTime(inputs: readonly Numbered[], at: number): number {
  return Math.max(-1, ...inputs.filter((input) => input.at <= at).map(({ timestamp }) => timestamp));
}

const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');
const compareKeys = (a: string, b: string): number => (bytesOf(a) < bytesOf(b) ? -1 : bytesOf(a) > bytesOf(b) ? 1 : 0);

/** As windows close. */
export const byStart = (a: Result, b: Result): number => a.window.start - b.window.start || compareKeys(a.key, b.key);
/** As sessions close. */
export const byEnd = (a: Result, b: Result): number => a.window.end - b.window.end || byStart(a, b);

type Store = WindowStore<string, Numbers> | SessionStore<string, Numbers>;
type Windowing = OperatorFunction<KafkaRecord<string, Numbered>, KafkaRecord<Windowed<string>, Numbers | null>>;

export interface Job<S extends Store> {
  readonly definition: StoreDefinition<S>;
  readonly windowing: (store: S, late: { next: (late: LateRecord<string, Numbered>) => void }) => Windowing;
  readonly dropsNullValues: boolean;
  readonly andAtTheBound: boolean;
  /** Of a session the timestamp is its end. */
  readonly withTimestamps: boolean;
}

export async function outcomeOf<S extends Store>(job: Job<S>, inputs: readonly Input[]): Promise<Outcome> {
  const store = memoryStore(job.definition);
  const source = new Subject<KafkaRecord<string, Numbered>>();
  const results: Result[] = [];
  const late: (readonly [number, Window])[] = [];
  let at = 0;
  const windowing = job.windowing(store, { next: ({ window }) => late.push([at, window]) });
  const subscribe = () =>
    source.pipe(windowing).subscribe({
      next: ({ key: { key, start, end }, value, timestamp }) =>
        results.push({ after: at, key, window: { start, end }, values: value, timestamp }),
      error: (error: unknown) => {
        throw error;
      },
    });
  let subscription = subscribe();
  for (; at < inputs.length; at++) {
    const { key, value, timestamp, restart } = inputs[at]!;
    if (restart) {
      subscription.unsubscribe();
      subscription = subscribe();
    }
    const given = value === null && job.dropsNullValues ? null : { at, key, timestamp, deletes: value === 0 };
    source.next(record(key as string, given as Numbered, timestamp));
  }
  const rows = await rowsByKey<string, Numbers | Counted<Numbers>>(store as never, { andAtTheBound: job.andAtTheBound });
  const shown = rows.map(({ key, window, value, timestamp }) => {
    return rowOf(key, window, value instanceof Counted ? value.value : value, job.withTimestamps ? timestamp : undefined);
  });
  return { results, late, rows: shown.sort(), dropped: droppedRecords(store) };
}

const COMMON = new Set(['b', 'ab', 'é']);

/** Most of them of one key, so that much happens to it. */
export function inputsOfFewKeys(step: number, behind: number): fc.Arbitrary<Input[]> {
  return someInputs({ step, behind, maxLength: 30 }).map((inputs) =>
    inputs.map((input) => (input.key !== null && COMMON.has(input.key) ? { ...input, key: 'a' } : input)),
  );
}
