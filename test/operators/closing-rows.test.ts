/** As closing-windows.test.ts has it, for windows that belong to their key: sessions and sliding windows. */
import { type Observable, pipe, Subject } from 'rxjs';
import { countWithStore, type Emit, type LateRecord, sessionize, windowSliding } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { noOrigin } from '../../src/model/origin';
import type { KafkaRecord } from '../../src/model/record';
import type { SessionStore, StoreDefinition, WindowStore } from '../../src/model/store-definition';
import type { Windowed } from '../../src/model/window';
import { sessionStore, windowStore } from '../../src/state/definition';
import { record } from '../../src/testing';
import { ScriptedRows } from './scripted-rows';
import { ScriptedScope } from './scripted-scope';

type Late = { next: (late: LateRecord<string, string>) => void };
type Counted = KafkaRecord<Windowed<string>, number | null>;
type Counting = (source: Observable<KafkaRecord<string, string>>) => Observable<Counted>;

interface Kind {
  readonly name: string;
  /** `retention` in ms beyond the default. */
  readonly definition: (beyond?: number, grace?: number) => StoreDefinition<object>;
  readonly counting: (store: object, emit: Emit, late: Late, grace?: number) => Counting;
  /** What emissions are named by, for the row that a record of this time alone makes. */
  readonly emission: (key: string, timestamp: number) => string;
  readonly bounds: (key: string, timestamp: number) => string;
  /** What rows are ordered by. */
  readonly timeOf: (timestamp: number) => number;
  /** The last record that is late when event time is 50. */
  readonly late: number;
  /** The row of a record of 20 is out of sight and closed at this event time, when 4 ms more than the default are kept. */
  readonly goneAt: number;
}

// Both close more than 15 ms after the end, counted from the only record.
const gap = 10;
const difference = 10;
const sessions: Kind = {
  name: 'sessions',
  definition: (beyond, grace = 5) =>
    sessionStore('rows', {
      key: string,
      value: int64,
      windows: { gap, grace },
      ...(beyond !== undefined && { retention: gap + grace + beyond }),
    }),
  counting: (store, emit, late, grace = 5) =>
    pipe(sessionize<string, string>({ gap, grace }), countWithStore(store as SessionStore<string, number>, { emit, late })),
  emission: (key, timestamp) => `close rows ${timestamp} ${timestamp} ${key}`,
  bounds: (key, timestamp) => `${key}@${timestamp}-${timestamp}`,
  timeOf: (timestamp) => timestamp,
  late: 34,
  goneAt: 39,
};
const sliding: Kind = {
  name: 'sliding windows',
  definition: (beyond, grace = 15) =>
    windowStore('rows', {
      key: string,
      value: int64,
      windows: { difference, grace },
      ...(beyond !== undefined && { retention: 2 * difference + grace + beyond }),
    }),
  counting: (store, emit, late, grace = 15) =>
    pipe(windowSliding<string, string>({ difference, grace }), countWithStore(store as WindowStore<string, number>, { emit, late })),
  emission: (key, timestamp) => `close rows ${timestamp - difference} ${key}`,
  bounds: (key, timestamp) => `${key}@${timestamp - difference}-${timestamp}`,
  timeOf: (timestamp) => timestamp - difference,
  late: 24,
  goneAt: 60,
};

/** One subscription of the operator, in a task with this scope. */
class Assembly {
  readonly emitted: string[] = [];
  readonly records: Counted[] = [];
  readonly late: number[] = [];
  private readonly source = new Subject<KafkaRecord<string, string>>();
  private readonly subscription;

  constructor(
    readonly scope: ScriptedScope,
    kind: Kind,
    rows: ScriptedRows<object>,
    { emit = 'close', grace }: { readonly emit?: Emit; readonly grace?: number } = {},
  ) {
    const late = { next: ({ record }: LateRecord<string, string>) => this.late.push(record.timestamp) };
    this.subscription = this.source.pipe(kind.counting(rows.under(scope), emit, late, grace)).subscribe((result) => {
      const { key, start, end } = result.key;
      this.emitted.push(`${key}@${start}-${end}`);
      this.records.push(result);
    });
  }

  push(key: string, timestamp: number): this {
    this.source.next(record(key, 'v', timestamp));
    return this;
  }

  /** Pushes and runs what was driven. */
  through(key: string, timestamp: number): this {
    this.push(key, timestamp);
    this.scope.runSteps();
    return this;
  }

  stop(): void {
    this.subscription.unsubscribe();
  }
}

const LONG = 10_000;
/** More keys than one step emits. */
const manyKeys = Array.from({ length: 300 }, (_, i) => `k${String(i).padStart(3, '0')}`);

describe.each([sessions, sliding])('closing $name in a task', (kind) => {
  const start = (beyond?: number): [ScriptedScope, ScriptedRows<object>] => [
    new ScriptedScope(),
    new ScriptedRows(kind.definition(beyond)),
  ];
  const allOf = (timestamp: number): string[] => manyKeys.map((key) => kind.bounds(key, timestamp));

  it('emits nothing in the push itself, but in the step it drives, once event time is more than 15 ms past the end', () => {
    const [scope, rows] = start();
    const assembly = new Assembly(scope, kind, rows).push('a', 20).push('b', 35);
    expect(scope.waiting).toBe(0);
    assembly.push('b', 36);
    expect(scope.waiting).toBe(1);
    expect(assembly.emitted).toEqual([]);
    expect(scope.runStep()).toBe(true);
    expect(assembly.emitted).toEqual([kind.bounds('a', 20)]);
  });

  it('opens and ends an emission of its own for each row, by time, then key', () => {
    const [scope, rows] = start();
    new Assembly(scope, kind, rows).push('c', 20).push('b', 21).push('a', 21).through('x', 60);
    const opened = [kind.emission('c', 20), kind.emission('a', 21), kind.emission('b', 21)];
    expect(scope.emissions).toEqual(opened.flatMap((emission) => [emission, 'end']));
  });

  it('gives what it emits the origin of the push under way', () => {
    const [scope, rows] = start();
    const assembly = new Assembly(scope, kind, rows).push('a', 20).push('x', 60);
    scope.origin = { ...noOrigin, offset: 17 };
    scope.runSteps();
    expect(assembly.records.map(({ origin }) => origin)).toEqual([scope.origin]);
  });

  it('passes a poisoned row over, emits the others, and does not come back to it', () => {
    const [scope, rows] = start(LONG);
    scope.poisoned.add(kind.emission('b', 20));
    const assembly = new Assembly(scope, kind, rows);
    for (const key of ['a', 'b', 'c']) assembly.push(key, 20);
    assembly.through('a', 60).through('a', 90);
    expect(assembly.emitted).toEqual([kind.bounds('a', 20), kind.bounds('c', 20), kind.bounds('a', 60)]);
  });

  it('works in bounded steps, each going on behind the last', () => {
    const [scope, rows] = start(LONG);
    const assembly = new Assembly(scope, kind, rows);
    for (const key of manyKeys) assembly.push(key, 20);
    assembly.push('x', 60);
    const sizes: number[] = [];
    while (scope.runStep() === false) sizes.push(assembly.emitted.length);
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes.map((size, i) => size - (sizes[i - 1] ?? 0)))).toBeLessThanOrEqual(128);
    expect(assembly.emitted).toEqual(allOf(20));
  });

  it.each([
    ['kept', LONG],
    ['removed at once', undefined],
  ])('goes on behind the last row after a restart between two steps, when closed rows are %s', (_, beyond) => {
    const [before, rows] = start(beyond);
    const first = new Assembly(before, kind, rows);
    for (const key of manyKeys) first.push(key, 20);
    first.push('x', 200);
    while (first.emitted.length === 0) expect(before.runStep()).toBe(false);
    first.stop();

    const after = new ScriptedScope(before.cells);
    const second = new Assembly(after, kind, rows);
    expect(after.waiting).toBe(1);
    after.runSteps();
    expect(second.emitted.length).toBeGreaterThan(0);
    expect([...first.emitted, ...second.emitted]).toEqual(allOf(20));
  });

  it('drives nothing at a restart with everything closed', () => {
    const [before, rows] = start(LONG);
    new Assembly(before, kind, rows).push('a', 20).through('a', 60).stop();
    const after = new ScriptedScope(before.cells);
    const second = new Assembly(after, kind, rows);
    after.runSteps();
    expect(second.emitted).toEqual([]);
  });

  it.each(['update', 'close'] as const)('keeps late what was late before a restart: emit %s', async (emit) => {
    const [before, rows] = start();
    new Assembly(before, kind, rows, { emit }).through('a', 50).stop();
    const after = new ScriptedScope(before.cells);
    const second = new Assembly(after, kind, rows, { emit }).through('b', kind.late).through('c', 35);
    expect(second.late).toEqual([kind.late]);
    expect(await rows.bounds()).toEqual([kind.bounds('a', 50), kind.bounds('c', 35)]);
  });

  it('opens a closed row never again, not even when grace has been raised', async () => {
    const grace = 500;
    const rows = new ScriptedRows(kind.definition(undefined, grace));
    const scope = new ScriptedScope();
    scope.cell('rows', 'streamTime', 50);
    scope.cell('rows', 'openFrom', kind.timeOf(20) + 1);
    const assembly = new Assembly(scope, kind, rows, { grace }).push('a', 20).push('b', 21);
    expect(assembly.late).toEqual([20]);
    expect(await rows.bounds()).toEqual([kind.bounds('b', 21)]);
  });

  it.each(['update', 'close'] as const)('removes what has closed when it is out of sight, not earlier: emit %s', async (emit) => {
    const [scope, rows] = start(4);
    const assembly = new Assembly(scope, kind, rows, { emit }).through('a', 20).through('b', kind.goneAt - 1);
    expect(await rows.bounds()).toEqual([kind.bounds('a', 20), kind.bounds('b', kind.goneAt - 1)]);
    assembly.through('c', kind.goneAt);
    expect(await rows.bounds()).toEqual([kind.bounds('b', kind.goneAt - 1), kind.bounds('c', kind.goneAt)]);
  });

  it('removes what a former run left to remove', async () => {
    const [before, rows] = start();
    const first = new Assembly(before, kind, rows, { emit: 'update' }).push('a', 20).push('b', 200);
    expect(await rows.bounds()).toEqual([kind.bounds('a', 20), kind.bounds('b', 200)]);
    first.stop();
    const after = new ScriptedScope(before.cells);
    new Assembly(after, kind, rows, { emit: 'update' });
    after.runSteps();
    expect(await rows.bounds()).toEqual([kind.bounds('b', 200)]);
  });

  it('stops when what is downstream has failed', () => {
    const [scope, rows] = start(LONG);
    const source = new Subject<KafkaRecord<string, string>>();
    const emitted: string[] = [];
    source.pipe(kind.counting(rows.under(scope), 'close', { next: () => undefined })).subscribe(({ key }) => {
      emitted.push(key.key);
      scope.failed = true;
    });
    for (const key of ['a', 'b', 'c']) source.next(record(key, 'v', 20));
    source.next(record('x', 'v', 60));
    expect(scope.runStep()).toBe(true);
    expect(emitted).toEqual(['a']);
  });

  it('stops when it is unsubscribed in the middle; the next subscription emits what is left', () => {
    const [before, rows] = start(LONG);
    const first = new Assembly(before, kind, rows).push('a', 20).push('b', 60);
    first.stop();
    expect(before.runStep()).toBe(true);
    const after = new ScriptedScope(before.cells);
    const second = new Assembly(after, kind, rows);
    after.runSteps();
    expect([...first.emitted, ...second.emitted]).toEqual([kind.bounds('a', 20)]);
  });
});

describe('closing sessions', () => {
  it('goes by end, then start, then key, also where a session has grown backwards', () => {
    const scope = new ScriptedScope();
    const assembly = new Assembly(scope, sessions, new ScriptedRows(sessions.definition()));
    assembly.push('b', 30).push('a', 30).push('c', 30).push('c', 25).push('d', 29).through('x', 80);
    expect(assembly.emitted).toEqual(['d@29-29', 'c@25-30', 'a@30-30', 'b@30-30']);
  });
});

describe('closing sliding windows', () => {
  it('emits several windows of one key, each in its place among those of other keys', () => {
    const scope = new ScriptedScope();
    const assembly = new Assembly(scope, sliding, new ScriptedRows(sliding.definition()));
    assembly.push('b', 20).push('a', 21).push('b', 22).through('x', 80);
    expect(assembly.emitted).toEqual(['b@10-20', 'a@11-21', 'b@12-22', 'b@21-31']);
  });

  it('keeps a closed window for as long as it says how many windows a record misses', () => {
    const scope = new ScriptedScope();
    const rows = new ScriptedRows(sliding.definition());
    const assembly = new Assembly(scope, sliding, rows, { emit: 'update' });
    // At 55 the earliest record taken is of 30. The one before it is of 20: two windows are missed, [21, 31] and [20, 30].
    assembly.through('a', 20).through('b', 54).through('b', 55).through('a', 30);
    expect(assembly.late).toEqual([30, 30]);
  });
});
