/** Aggregates in windows of event time, by reading the whole history again for each output; and the operators over the same inputs. */
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { right } from 'fp-ts/Either';
import { type OperatorFunction, Subject } from 'rxjs';
import { aggregateWithStore, type Emit, type LateRecord } from '../../operators';
import { string } from '../../src/codec/primitives';
import type { Codec } from '../../src/model/codec';
import type { KafkaRecord } from '../../src/model/record';
import type { InWindows, Window, Windows } from '../../src/model/window';
import { windowStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { windowRows } from '../../src/testing/store-rows';

export interface Input {
  readonly key: string | null;
  readonly value: number | null;
  readonly timestamp: number;
  /** The operator is unsubscribed and subscribed again before this record, as after a restart. */
  readonly restart: boolean;
}

/** How a model and its operators are told the same thing. */
export interface Job {
  readonly emit: Emit;
  readonly grace: number;
  readonly retention: number | undefined;
  /** By ascending start, and written otherwise than the operator's own. */
  readonly windowsOf: (timestamp: number) => readonly Window[];
  /** Is a row of this window still to be seen at the end? `greatest`: the greatest start written; S: stream time. */
  readonly shows: (window: Window, greatest: number, streamTime: number) => boolean;
}

export interface Result {
  readonly after: number;
  readonly key: string;
  readonly window: Window;
  readonly values: readonly (number | null)[] | null;
  readonly timestamp: number;
}

export interface Outcome {
  readonly results: readonly Result[];
  /** Number of the input and the window that refused it. */
  readonly late: readonly (readonly [number, Window])[];
  readonly rows: readonly string[];
  readonly dropped: number;
}

// ---- the model

interface Update {
  readonly input: Input;
  readonly at: number;
  readonly window: Window;
}

/** Stream time after each of the inputs: the greatest timestamp that came with a key. */
function streamTime(inputs: readonly Input[]): number {
  return Math.max(-1, ...inputs.filter(({ key }) => key !== null).map(({ timestamp }) => timestamp));
}

/** Every (input, window), each accepted or refused by the stream time of its own moment. */
function judged(job: Job, inputs: readonly Input[]): (Update & { readonly accepted: boolean })[] {
  return inputs.flatMap((input, at) => {
    if (input.key === null) return [];
    const now = streamTime(inputs.slice(0, at + 1));
    return job.windowsOf(input.timestamp).map((window) => ({ input, at, window, accepted: window.end > now - job.grace }));
  });
}

function valueOf(updates: readonly Update[], key: string, start: number): Pick<Result, 'values' | 'timestamp'> {
  let values: readonly (number | null)[] | null = null;
  let timestamp = -1;
  for (const { input, window } of updates) {
    if (input.key !== key || window.start !== start) continue;
    timestamp = values === null ? input.timestamp : Math.max(timestamp, input.timestamp);
    values = input.value === 0 ? null : [...(values ?? []), input.value];
  }
  return { values, timestamp };
}

const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');
const compare = (a: string, b: string): number => (bytesOf(a) < bytesOf(b) ? -1 : bytesOf(a) > bytesOf(b) ? 1 : 0);

/** Every key and window that was updated, by start, then key. */
function updatedWindows(updates: readonly Update[]): { readonly key: string; readonly window: Window }[] {
  const all = new Map(updates.map(({ input, window }) => [`${window.start} ${input.key}`, { key: input.key!, window }]));
  return [...all.values()].sort((a, b) => a.window.start - b.window.start || compare(a.key, b.key));
}

export function expectedOf(job: Job, inputs: readonly Input[]): Outcome {
  const all = judged(job, inputs);
  const updates = all.filter(({ accepted }) => accepted);
  const upTo = (at: number): Update[] => updates.filter((update) => update.at <= at);
  const results = inputs.flatMap((_, after): Result[] =>
    job.emit === 'close' ? closed(job, inputs, upTo(after), after) : updated(job, updates, after),
  );
  const late = all.filter(({ accepted }) => !accepted).map(({ at, window }) => [at, window] as const);
  const greatest = Math.max(...updates.map(({ window }) => window.start));
  const rows = updatedWindows(updates)
    .filter(({ window }) => job.shows(window, greatest, streamTime(inputs)))
    .map(({ key, window }) => ({ key, window, ...valueOf(updates, key, window.start) }))
    .filter(({ values }) => values !== null);
  return {
    results,
    late,
    rows: rows.map((row) => JSON.stringify(row)).sort(),
    dropped: late.length + inputs.filter(({ key }) => key === null).length,
  };
}

/** On change only those that give other values than the updates before them. */
function updated({ emit }: Job, updates: readonly Update[], after: number): Result[] {
  const valueAfter = (number: number, { input, window }: Update) => valueOf(updates.slice(0, number), input.key!, window.start);
  return updates.flatMap((update, number): Result[] => {
    if (update.at !== after) return [];
    const [before, now] = [valueAfter(number, update), valueAfter(number + 1, update)];
    if (emit === 'change' && isDeepStrictEqual(before.values, now.values)) return [];
    return [{ after, key: update.input.key!, window: update.window, ...now }];
  });
}

/** Windows whose close time this input has reached, and no input before it. */
function closed(job: Job, inputs: readonly Input[], updates: readonly Update[], after: number): Result[] {
  const [before, now] = [streamTime(inputs.slice(0, after)) - job.grace, streamTime(inputs.slice(0, after + 1)) - job.grace];
  return updatedWindows(updates)
    .filter(({ window }) => window.end <= now && window.end > before)
    .map(({ key, window }) => ({ after, key, window, ...valueOf(updates, key, window.start) }))
    .filter(({ values }) => values !== null);
}

// ---- the operators

const list: Codec<readonly (number | null)[]> = {
  encode: (values) => JSON.stringify(values),
  decode: (bytes) => right(JSON.parse(Buffer.from(bytes).toString()) as (number | null)[]),
};

/** A 0 empties the list, which deletes it. */
const collect = {
  initial: (): readonly (number | null)[] => [],
  add: (values: readonly (number | null)[], value: number | null) =>
    (value === 0 ? null : [...values, value]) as readonly (number | null)[],
};

type Assign = OperatorFunction<KafkaRecord<string, number | null>, InWindows<string, number | null>>;

export async function outcomeOf(job: Job, windows: Windows, assign: Assign, inputs: readonly Input[]): Promise<Outcome> {
  const { emit, retention } = job;
  const definition = windowStore('model', { key: string, value: list, windows, ...(retention !== undefined && { retention }) });
  const store = memoryStore(definition);
  const source = new Subject<KafkaRecord<string, number | null>>();
  const results: Result[] = [];
  const late: (readonly [number, Window])[] = [];
  let at = 0;
  const observer = { next: ({ window }: LateRecord<string, number | null>) => late.push([at, window]) };
  const subscribe = () =>
    source.pipe(assign, aggregateWithStore(store, { ...collect, emit, late: observer })).subscribe({
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
    source.next(record(key as string, value, timestamp));
  }
  const rows = await windowRows(store, { andAtTheBound: emit === 'close' });
  const shown = rows.map(({ key, window, value, timestamp }) => JSON.stringify({ key, window, values: value, timestamp }));
  return { results, late, rows: shown.sort(), dropped: droppedRecords(store) };
}

// ---- what is tried

export const anyEmit = fc.constantFrom<Emit>('update', 'change', 'close');

/** UTF-8 sorts the last two keys otherwise than UTF-16 does. */
const key = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('a', 'b', 'ab', 'é', '\u{1f642}', '\uffee') },
  { weight: 1, arbitrary: fc.constant(null) },
);

/** Times go forward by steps of up to `step`, with a jump now and then, and up to `behind` back. */
export function someInputs({ step, behind, maxLength }: { step: number; behind: number; maxLength: number }): fc.Arbitrary<Input[]> {
  const ahead = fc.oneof({ weight: 9, arbitrary: fc.nat(step) }, { weight: 1, arbitrary: fc.nat(25 * step) });
  const value = fc.option(fc.integer({ min: 0, max: 4 }), { freq: 9 });
  const input = fc.record({ key, value, ahead, behind: fc.nat(behind), restart: fc.constantFrom(false, false, false, true) });
  return fc.array(input, { maxLength }).map((inputs) => {
    let time = 0;
    return inputs.map(({ ahead, behind, ...rest }) => {
      time += ahead;
      return { ...rest, timestamp: Math.max(0, time - behind) };
    });
  });
}
