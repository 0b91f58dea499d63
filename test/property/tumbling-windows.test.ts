/** Tumbling windows against a model that reads the whole history again for each output. */
import * as fc from 'fast-check';
import { Subject } from 'rxjs';
import { aggregateWithStore, type LateRecord, windowTumbling } from '../../operators';
import { right } from 'fp-ts/Either';
import { string } from '../../src/codec/primitives';
import type { Codec } from '../../src/model/codec';
import type { KafkaRecord } from '../../src/model/record';
import { windowStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';
import { droppedRecords } from '../../src/testing/memory-store';
import { windowRows } from '../../src/testing/store-rows';

interface Input {
  readonly key: string | null;
  readonly value: number | null;
  readonly timestamp: number;
  /** The operator is unsubscribed and subscribed again before this record, as after a restart. */
  readonly restart: boolean;
}

interface Job {
  readonly size: number;
  readonly grace: number;
  readonly extraRetention: number;
  readonly emit: 'update' | 'close';
}

interface Result {
  readonly after: number;
  readonly key: string;
  readonly start: number;
  readonly values: readonly (number | null)[] | null;
  readonly timestamp: number;
}

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

// ---- the model

/** Stream time after each of the inputs: the greatest timestamp that came with a key. */
function streamTime(inputs: readonly Input[]): number {
  return Math.max(-1, ...inputs.filter(({ key }) => key !== null).map(({ timestamp }) => timestamp));
}

const startOf = ({ size }: Job, { timestamp }: Input): number => Math.floor(timestamp / size) * size;

/** Of these inputs, those that are accepted, each by the stream time of its own moment. */
function accepted(job: Job, inputs: readonly Input[]): Input[] {
  return inputs.filter(
    (input, at) => input.key !== null && startOf(job, input) + job.size > streamTime(inputs.slice(0, at + 1)) - job.grace,
  );
}

function valueOf(job: Job, inputs: readonly Input[], key: string, start: number): Pick<Result, 'values' | 'timestamp'> {
  let values: readonly (number | null)[] | null = null;
  let timestamp = -1;
  for (const input of accepted(job, inputs)) {
    if (input.key !== key || startOf(job, input) !== start) continue;
    timestamp = values === null ? input.timestamp : Math.max(timestamp, input.timestamp);
    values = input.value === 0 ? null : [...(values ?? []), input.value];
  }
  return { values, timestamp };
}

const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');
const compare = (a: string, b: string): number => (bytesOf(a) < bytesOf(b) ? -1 : bytesOf(a) > bytesOf(b) ? 1 : 0);

/** Every (key, start) that some input was accepted for, by start, then key. */
function windowsOf(job: Job, inputs: readonly Input[]): { key: string; start: number }[] {
  const all = new Map(
    accepted(job, inputs).map((input) => [`${startOf(job, input)} ${input.key}`, { key: input.key!, start: startOf(job, input) }]),
  );
  return [...all.values()].sort((a, b) => a.start - b.start || compare(a.key, b.key));
}

function expectedResults(job: Job, inputs: readonly Input[]): Result[] {
  return inputs.flatMap((input, after) => {
    const seen = inputs.slice(0, after + 1);
    if (job.emit === 'update') {
      if (!accepted(job, seen).includes(input)) return [];
      const [key, start] = [input.key!, startOf(job, input)];
      return [{ after, key, start, ...valueOf(job, seen, key, start) }];
    }
    const [before, now] = [streamTime(seen.slice(0, -1)) - job.grace, streamTime(seen) - job.grace];
    return windowsOf(job, seen)
      .filter(({ start }) => start + job.size <= now && start + job.size > before)
      .map(({ key, start }) => ({ after, key, start, ...valueOf(job, seen, key, start) }))
      .filter(({ values }) => values !== null);
  });
}

/** Rows of windows that start after (at: greater or equal, on close) the greatest start written - retention. */
function expectedRows(job: Job, inputs: readonly Input[]): string[] {
  const windows = windowsOf(job, inputs);
  const bound = Math.max(...windows.map(({ start }) => start)) - retentionOf(job);
  return windows
    .filter(({ start }) => (job.emit === 'close' ? start >= bound : start > bound))
    .map(({ key, start }) => ({ key, start, ...valueOf(job, inputs, key, start) }))
    .filter(({ values }) => values !== null)
    .map((row) => JSON.stringify(row))
    .sort();
}

const retentionOf = ({ size, grace, extraRetention }: Job): number => size + grace + extraRetention;

// ---- the operator

async function run(job: Job, inputs: readonly Input[]): Promise<{ results: Result[]; late: Input[]; rows: string[]; dropped: number }> {
  const { size, grace, emit } = job;
  const store = memoryStore(windowStore('model', { key: string, value: list, windows: { size, grace }, retention: retentionOf(job) }));
  const source = new Subject<KafkaRecord<string, number | null>>();
  const results: Result[] = [];
  const late: Input[] = [];
  let at = 0;
  const observer = { next: (_: LateRecord<string, number | null>) => late.push(inputs[at]!) };
  const subscribe = () =>
    source.pipe(windowTumbling({ size, grace }), aggregateWithStore(store, { ...collect, emit, late: observer })).subscribe({
      next: ({ key, value, timestamp }) => {
        expect(key.end).toBe(key.start + size);
        results.push({ after: at, key: key.key, start: key.start, values: value, timestamp });
      },
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
  const shown = rows.map(({ key, window, value, timestamp }) => JSON.stringify({ key, start: window.start, values: value, timestamp }));
  return { results, late, rows: shown.sort(), dropped: droppedRecords(store) };
}

// ---- what is tried

const job: fc.Arbitrary<Job> = fc.record({
  size: fc.integer({ min: 1, max: 20 }),
  grace: fc.integer({ min: 0, max: 15 }),
  extraRetention: fc.constantFrom(0, 1, 7, 1000),
  emit: fc.constantFrom('update', 'close'),
});

/** UTF-8 sorts the last two keys otherwise than UTF-16 does. */
const key = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('a', 'b', 'ab', 'é', '\u{1f642}', '\uffee') },
  { weight: 1, arbitrary: fc.constant(null) },
);

const inputs: fc.Arbitrary<Input[]> = fc
  .array(
    fc.record({
      key,
      value: fc.option(fc.integer({ min: 0, max: 4 }), { freq: 9 }),
      ahead: fc.oneof({ weight: 9, arbitrary: fc.nat(8) }, { weight: 1, arbitrary: fc.nat(200) }),
      behind: fc.nat(40),
      restart: fc.constantFrom(false, false, false, true),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    let time = 0;
    return steps.map(({ ahead, behind, ...rest }) => {
      time += ahead;
      return { ...rest, timestamp: Math.max(0, time - behind) };
    });
  });

describe('tumbling windows under disorder, grace and restarts', () => {
  it('give the results of the whole history, after the same record, and show the same rows', async () => {
    await fc.assert(
      fc.asyncProperty(job, inputs, async (job, inputs) => {
        const { results, late, rows, dropped } = await run(job, inputs);
        expect(results).toEqual(expectedResults(job, inputs));
        const taken = accepted(job, inputs);
        const refused = inputs.filter((input) => input.key !== null && !taken.includes(input));
        expect(late).toEqual(refused);
        expect(dropped).toBe(refused.length + inputs.filter((input) => input.key === null).length);
        expect(rows).toEqual(expectedRows(job, inputs));
      }),
      { numRuns: 300 },
    );
  });

  it('hold every time in exactly one window, its own', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 2 ** 50 }), (timestamp, size) => {
        const source = new Subject<KafkaRecord<string, number>>();
        let found: readonly { readonly start: number }[] = [];
        source.pipe(windowTumbling({ size })).subscribe(({ windows }) => (found = windows));
        source.next(record('k', 1, timestamp));
        const [{ start }] = found as [{ start: number }];
        expect(found).toHaveLength(1);
        // In whole numbers: near 2^53 sums of doubles round.
        expect(BigInt(start) % BigInt(size)).toBe(0n);
        expect(BigInt(start) <= BigInt(timestamp) && BigInt(timestamp) < BigInt(start) + BigInt(size)).toBe(true);
      }),
    );
  });
});
