/** Joins of two streams against all pairs of the whole history, under disorder, commits, undone pushes and crashes. */
import * as fc from 'fast-check';
import { Subject, type Subscription } from 'rxjs';
import { joinStream, type JoinKind } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { nullable } from '../../src/codec/nullable';
import type { JoinDefinition, JoinWindows } from '../../src/model/join';
import type { KafkaRecord } from '../../src/model/record';
import { runtime } from '../../src/state/handle';
import { joinStore } from '../../src/state/join-definition';
import type { JoinEntries, JoinHandle } from '../../src/state/join-entries';
import { LEFT, RIGHT } from '../../src/state/join-rows';
import type { Scope, Step } from '../../src/state/scope';
import { record } from '../../src/testing';
import { scopeOver, TestTask } from '../state/test-task';

/** More with MILLRACE_SEEDS. */
const RUNS = Number(process.env['MILLRACE_SEEDS'] ?? 60);

type SideName = 'left' | 'right';

interface Input {
  readonly side: SideName;
  readonly key: string | null;
  readonly hasValue: boolean;
  readonly timestamp: number;
  /** What happens behind it. */
  readonly then: 'nothing' | 'commit' | 'flush' | 'undo' | 'crash';
}

interface Job {
  readonly windows: Required<JoinWindows>;
  readonly kind: JoinKind;
  readonly lateRecords: 'refuse' | 'join';
}

/** After which input, and what: numbers of inputs are their values. */
type Line = `${number}: ${string}`;

// ---- the model

interface Known extends Input {
  readonly at: number;
  readonly key: string;
}

const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');
const compare = (a: string, b: string): number => (bytesOf(a) < bytesOf(b) ? -1 : bytesOf(a) > bytesOf(b) ? 1 : 0);
const aloneLine = (after: number, { side, key, at, timestamp }: Input & { readonly at: number }): Line =>
  `${after}: ${String(key)} ${side === 'left' ? `${at} -` : `- ${at}`} at ${timestamp}`;

function modelOf({ windows, kind, lateRecords }: Job, inputs: readonly Input[]): { lines: Line[]; late: number[]; dropped: number } {
  const { before, after, grace } = windows;
  const ahead = { left: after, right: before };
  const comesAlone = ({ side }: Input): boolean => kind === 'outer' || (kind === 'left' && side === 'left');
  const now = inputs.map((_, at) => Math.max(...inputs.slice(0, at + 1).map(({ timestamp }) => timestamp)));
  const known = inputs.map((input, at) => ({ ...input, at })).filter((input): input is Known => input.hasValue && input.key !== null);
  const isLate = ({ side, timestamp, at }: Known): boolean => now[at]! - timestamp > Math.max(0, ahead[side]) + grace;
  const isClosed = ({ side, timestamp }: Known, at: number): boolean => now[at]! - timestamp > ahead[side] + grace;

  const fits = (left: Known, right: Known): boolean =>
    left.key === right.key && right.timestamp >= left.timestamp - before && right.timestamp <= left.timestamp + after;
  const shown = (one: Known, at: number): boolean => {
    const greatest = Math.max(...known.filter((each) => each.side === one.side && each.at < at).map(({ timestamp }) => timestamp));
    return one.timestamp > greatest - (before + after + grace) || !isClosed(one, at);
  };
  /** Did `later` meet `one` when it came? */
  const met = (one: Known, later: Known): boolean => {
    if (one.side === later.side || one.at >= later.at) return false;
    if (!(one.side === 'left' ? fits(one, later) : fits(later, one))) return false;
    return lateRecords === 'refuse' ? !isLate(one) && !isLate(later) : shown(one, later.at);
  };
  /** After which input `one` comes out alone; undefined: never. */
  const aloneAfter = (one: Known): number | undefined => {
    if (!comesAlone(one)) return undefined;
    if (lateRecords === 'refuse' && isLate(one)) return one.at;
    if (known.some((earlier) => met(earlier, one))) return undefined;
    if (isClosed(one, one.at)) return one.at;
    const closer = known.find(({ at, timestamp }) => at > one.at && timestamp === now[at] && isClosed(one, at));
    return closer === undefined || known.some((later) => later.at < closer.at && met(one, later)) ? undefined : closer.at;
  };

  const lines = inputs.flatMap((input, at): Line[] => {
    if (input.key === null) return input.hasValue && comesAlone(input) ? [aloneLine(at, { ...input, at })] : [];
    const own = known.find((each) => each.at === at);
    if (own === undefined) return [];
    const closed = known
      .filter((one) => one.at < at && aloneAfter(one) === at)
      .sort(
        (a, b) =>
          a.timestamp - b.timestamp || Number(a.side === 'left') - Number(b.side === 'left') || compare(a.key, b.key) || a.at - b.at,
      );
    const partners = known.filter((one) => met(one, own)).sort((a, b) => a.timestamp - b.timestamp || a.at - b.at);
    return [
      ...closed.map((one) => aloneLine(at, one)),
      ...(aloneAfter(own) === at ? [aloneLine(at, own)] : []),
      ...partners.map((one): Line => {
        const [left, right] = own.side === 'left' ? [own, one] : [one, own];
        return `${at}: ${own.key} ${left.at} ${right.at} at ${Math.max(own.timestamp, one.timestamp)}`;
      }),
    ];
  });
  const late = known.filter(isLate);
  const refused = lateRecords === 'refuse' ? late.filter((one) => !comesAlone(one)) : [];
  const nulls = inputs.filter((input) => !input.hasValue || (input.key === null && !comesAlone(input)));
  return { lines, late: late.map(({ at }) => at), dropped: refused.length + nulls.length };
}

// ---- the operator, in a task that commits, is undone, and dies

type Key = string | null;
type Value = number | null;

const definitionOf = (windows: JoinWindows): JoinDefinition<Key, Value, Value> =>
  joinStore('pairs', { key: nullable(string), left: nullable(int64), right: nullable(int64), windows });

class Run {
  private readonly task: TestTask;
  private left = new Subject<KafkaRecord<Key, Value>>();
  private right = new Subject<KafkaRecord<Key, Value>>();
  private subscription: Subscription | undefined;
  private lines: Line[] = [];
  private late: number[] = [];
  private counted = { value: 0 };
  private at = 0;
  /** What is durable: position, outputs, late records and counts up to it. */
  private committed = { at: 0, lines: 0, late: 0, counted: 0 };
  private undone = -1;
  /** Of `driving` steps none is called inside another, as in a task. */
  private readonly steps: Step[] = [];

  constructor(private readonly job: Job) {
    this.task = new TestTask([definitionOf(job.windows).shape], { scope: this.scope(), cacheBytes: 1, flushBytes: 1 });
  }

  private scope(): Scope {
    const scope = {
      ...scopeOver(undefined as never),
      cell: (store: string, name: string, initial: never) => this.task.cells.cell(store, name, initial),
      eventTime: (store: string, advanced: () => void, name?: string) => scopeOver(this.task.cells).eventTime(store, advanced, name),
      counter: () => this.counted,
      drive: (step: Step) => void this.steps.push(step),
    };
    return scope as Scope;
  }

  private assemble(): void {
    this.subscription?.unsubscribe();
    this.steps.length = 0;
    [this.left, this.right] = [new Subject(), new Subject()];
    const { kind, lateRecords } = this.job;
    const store = this.task.stores.handle('pairs') as unknown as JoinHandle<Key, Value, Value>;
    const join = (left: Value | undefined, right: Value | undefined): string => `${left ?? '-'} ${right ?? '-'}`;
    const late = { next: ({ record: { value } }: { record: KafkaRecord<Key, Value> }) => this.late.push(value!) };
    this.subscription = this.left.pipe(joinStream(this.right, store, join, { kind: kind as 'outer', lateRecords, late })).subscribe({
      next: ({ key, value, timestamp }) => this.lines.push(`${this.at}: ${String(key)} ${value} at ${timestamp}`),
      error: (error: unknown) => {
        throw error;
      },
    });
    this.settle();
  }

  private settle(): void {
    for (let step = this.steps.at(-1); step !== undefined; step = this.steps.at(-1)) if (step() === true) this.steps.pop();
  }

  private backToCommitted(): void {
    const { at, lines, late, counted } = this.committed;
    this.at = at;
    this.lines.length = lines;
    this.late.length = late;
    this.counted.value = counted;
  }

  async through(inputs: readonly Input[]): Promise<{ lines: Line[]; late: number[]; dropped: number }> {
    const { task } = this;
    await task.start();
    this.assemble();
    while (this.at < inputs.length) {
      const { side, key, hasValue, timestamp, then } = inputs[this.at]!;
      const again = this.at <= this.undone;
      this[side].next(record(key, hasValue ? this.at : null, timestamp));
      this.settle();
      this.at++;
      if (then === 'commit' || then === 'flush') {
        task.commit();
        if (then === 'flush') await task.stores.flush();
        this.committed = { at: this.at, lines: this.lines.length, late: this.late.length, counted: this.counted.value };
      } else if (!again && then !== 'nothing') {
        this.undone = this.at - 1;
        if (then === 'crash') await task.crash();
        else task.abort();
        this.backToCommitted();
        this.assemble();
      }
    }
    return { lines: this.lines, late: this.late, dropped: this.counted.value };
  }

  /** Rows that are kept, and keys that any index knows of. */
  async kept(): Promise<{ rows: number; indexed: number }> {
    const entries = (this.task.stores.handle('pairs') as unknown as JoinHandle<Key, Value, Value>)[runtime] as JoinEntries<Key, Value>;
    const cursor = entries.openRange(undefined, undefined);
    let rows = 0;
    for (let more = cursor.next(); more !== false; more = cursor.next()) {
      if (more === true) rows += cursor.entry.value.length;
      else await more;
    }
    cursor.close();
    return { rows, indexed: entries.kept(LEFT).size + entries.kept(RIGHT).size };
  }

  async end(): Promise<void> {
    this.subscription?.unsubscribe();
    await this.task.stores.close();
  }
}

// ---- what is tried

const windows = fc
  .record({ before: fc.integer({ min: -6, max: 12 }), after: fc.integer({ min: -6, max: 12 }), grace: fc.constantFrom(0, 0, 3, 20) })
  .filter(({ before, after }) => before + after >= 0);
const job: fc.Arbitrary<Job> = fc.record({
  windows,
  kind: fc.constantFrom<JoinKind[]>('inner', 'left', 'outer'),
  lateRecords: fc.constantFrom('refuse' as const, 'refuse' as const, 'join' as const),
});
const step = fc.record({
  side: fc.constantFrom<SideName[]>('left', 'right'),
  key: fc.oneof(
    { weight: 12, arbitrary: fc.constant('a') },
    { weight: 6, arbitrary: fc.constantFrom('b', 'é', '😀') },
    { weight: 1, arbitrary: fc.constant(null) },
  ),
  hasValue: fc.integer({ min: 0, max: 11 }).map((number) => number > 0),
  forward: fc.nat(4),
  back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(25) }),
  then: fc.oneof(
    { weight: 12, arbitrary: fc.constant('nothing' as const) },
    { weight: 4, arbitrary: fc.constantFrom('commit' as const, 'flush' as const) },
    { weight: 2, arbitrary: fc.constantFrom('undo' as const, 'crash' as const) },
  ),
});
const inputs: fc.Arbitrary<Input[]> = fc.array(step, { minLength: 1, maxLength: 50, size: 'max' }).map((steps) => {
  let clock = 20;
  return steps.map(({ forward, back, ...rest }) => {
    clock += forward;
    return { ...rest, timestamp: Math.max(0, clock - back) };
  });
});

describe('a join of two streams', () => {
  it('gives the pairs of the whole history, in order, after the same record, whatever is undone and whoever dies', async () => {
    await fc.assert(
      fc.asyncProperty(job, inputs, async (given, arriving) => {
        const run = new Run(given);
        expect(await run.through(arriving)).toEqual(modelOf(given, arriving));
        await run.end();
      }),
      { numRuns: RUNS },
    );
  });

  it('keeps nothing once event time has passed it', async () => {
    const refusing = job.map((given): Job => ({ ...given, lateRecords: 'refuse' }));
    await fc.assert(
      fc.asyncProperty(refusing, inputs, async (given, arriving) => {
        const run = new Run(given);
        const last: Input = { side: 'left', key: 'z', hasValue: true, timestamp: 1_000, then: 'commit' };
        await run.through([...arriving, last]);
        expect(await run.kept()).toEqual({ rows: 1, indexed: 1 });
        await run.end();
      }),
      { numRuns: Math.ceil(RUNS / 4) },
    );
  });
});
