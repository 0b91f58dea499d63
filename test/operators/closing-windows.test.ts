/** What closing asks of a task: emissions with an identity, steps between which a commit may fall, and cells to go on from. */
import { Subject } from 'rxjs';
import { countWithStore, type Emit, type LateRecord, windowTumbling } from '../../operators';
import { string, int64 } from '../../src/codec/primitives';
import { noOrigin } from '../../src/model/origin';
import type { KafkaRecord } from '../../src/model/record';
import type { WindowStore } from '../../src/model/store-definition';
import { windowStore } from '../../src/state/definition';
import { record } from '../../src/testing';
import { ScriptedScope, ScriptedStore } from './scripted-scope';

const windows = { size: 10, grace: 5 };
const short = windowStore('counts', { key: string, value: int64, windows });
/** Closed windows stay readable. */
const long = windowStore('counts', { key: string, value: int64, windows, retention: 10_000 });

/** One subscription of the operator, in a task with this scope. */
class Assembly {
  readonly emitted: string[] = [];
  readonly records: KafkaRecord<unknown, number>[] = [];
  readonly late: number[] = [];
  readonly errors: unknown[] = [];
  private readonly source = new Subject<KafkaRecord<string, string>>();
  private readonly subscription;

  constructor(
    readonly scope: ScriptedScope,
    store: WindowStore<string, number>,
    emit: Emit = 'close',
  ) {
    const late = { next: ({ record }: LateRecord<string, string>) => this.late.push(record.timestamp) };
    this.subscription = this.source.pipe(windowTumbling(windows), countWithStore(store, { emit, late })).subscribe({
      next: (result) => {
        this.emitted.push(`${result.key.key}@${result.key.start}=${result.value}`);
        this.records.push(result);
      },
      error: (error: unknown) => this.errors.push(error),
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

/** More keys than one step emits. */
const manyKeys = Array.from({ length: 300 }, (_, i) => `k${String(i).padStart(3, '0')}`);
const allOf = (start: number) => manyKeys.map((key) => `${key}@${start}=1`);

describe('closing windows in a task', () => {
  it('emits nothing in the push itself, but in the step it drives', () => {
    const scope = new ScriptedScope();
    const assembly = new Assembly(scope, new ScriptedStore(short).under(scope));
    assembly.push('a', 3).push('a', 14);
    expect(scope.waiting).toBe(0);
    assembly.push('b', 15);
    expect(scope.waiting).toBe(1);
    expect(assembly.emitted).toEqual([]);
    expect(scope.runStep()).toBe(true);
    expect(assembly.emitted).toEqual(['a@0=1']);
  });

  it('opens and ends one emission for each entry, named by store, window start and key', () => {
    const scope = new ScriptedScope();
    new Assembly(scope, new ScriptedStore(short).under(scope)).through('b', 3).through('a', 4).through('a', 25);
    expect(scope.emissions).toEqual(['close counts 0 a', 'end', 'close counts 0 b', 'end']);
  });

  it('gives what it emits the origin of the push under way', () => {
    const scope = new ScriptedScope();
    const assembly = new Assembly(scope, new ScriptedStore(short).under(scope));
    assembly.push('a', 3).push('a', 25);
    scope.origin = { ...noOrigin, offset: 17 };
    scope.runSteps();
    expect(assembly.records.map(({ origin }) => origin)).toEqual([scope.origin]);
  });

  it('passes a poisoned entry over, emits the others, and does not come back to it', () => {
    const scope = new ScriptedScope();
    scope.poisoned.add('close counts 0 b');
    const assembly = new Assembly(scope, new ScriptedStore(long).under(scope));
    for (const key of ['a', 'b', 'c']) assembly.through(key, 1);
    assembly.through('a', 25).through('a', 40);
    expect(assembly.emitted).toEqual(['a@0=1', 'c@0=1', 'a@20=1']);
  });

  it('works in bounded steps, each going on behind the last', () => {
    const scope = new ScriptedScope();
    const assembly = new Assembly(scope, new ScriptedStore(long).under(scope));
    for (const key of manyKeys) assembly.push(key, 1);
    assembly.push('a', 15);
    const sizes: number[] = [];
    while (scope.runStep() === false) sizes.push(assembly.emitted.length);
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes.map((size, i) => size - (sizes[i - 1] ?? 0)))).toBeLessThanOrEqual(128);
    expect(assembly.emitted).toEqual(allOf(0));
  });

  it.each([
    ['kept', long],
    ['removed at once', windowStore('counts', { key: string, value: int64, windows })],
  ])('goes on behind the last entry after a restart between two steps, when closed rows are %s', (_, definition) => {
    const rows = new ScriptedStore(definition);
    const before = new ScriptedScope();
    const first = new Assembly(before, rows.under(before));
    for (const key of manyKeys) first.push(key, 1);
    // Far ahead: with the shorter retention the closed rows are out of sight.
    first.push('a', 100);
    expect(before.runStep()).toBe(false);
    first.stop();

    const after = new ScriptedScope(before.cells);
    const second = new Assembly(after, rows.under(after));
    expect(after.waiting).toBe(1);
    after.runSteps();
    expect(first.emitted.length).toBeGreaterThan(0);
    expect([...first.emitted, ...second.emitted]).toEqual(allOf(0));
  });

  it('drives nothing at a restart with everything closed', () => {
    const rows = new ScriptedStore(long);
    const before = new ScriptedScope();
    new Assembly(before, rows.under(before)).through('a', 1).through('a', 25).stop();
    const after = new ScriptedScope(before.cells);
    new Assembly(after, rows.under(after));
    expect(after.waiting).toBe(0);
  });

  it.each(['update', 'close'] as const)('keeps late what was late before a restart: emit %s', (emit) => {
    const rows = new ScriptedStore(short);
    const before = new ScriptedScope();
    new Assembly(before, rows.under(before), emit).through('a', 1).through('a', 24).stop();
    const after = new ScriptedScope(before.cells);
    const second = new Assembly(after, rows.under(after), emit).through('a', 9).through('a', 23).through('a', 10);
    expect(second.late).toEqual([9]);
    expect(second.emitted.filter((line) => line.startsWith('a@0'))).toEqual([]);
  });

  it('opens a closed window never again, not even when grace has been raised', () => {
    const more = { size: 10, grace: 500 };
    const rows = new ScriptedStore(windowStore('counts', { key: string, value: int64, windows: more }));
    const scope = new ScriptedScope();
    scope.cell('counts', 'streamTime', 15);
    scope.cell('counts', 'openFrom', 1);
    const late: number[] = [];
    const source = new Subject<KafkaRecord<string, string>>();
    const observer = { next: ({ window }: LateRecord<string, string>) => late.push(window.start) };
    source.pipe(windowTumbling(more), countWithStore(rows.under(scope), { emit: 'close', late: observer })).subscribe();
    source.next(record('a', 'v', 3));
    source.next(record('a', 'v', 12));
    expect(late).toEqual([0]);
    expect(rows.starts).toEqual([10]);
  });

  it('counts late records and null keys under their reason', () => {
    const scope = new ScriptedScope();
    const assembly = new Assembly(scope, new ScriptedStore(short).under(scope)).through('a', 100).through('a', 1).through('a', 2);
    assembly.push(null as unknown as string, 100);
    expect(Object.fromEntries([...scope.counters].map(([id, { value }]) => [id, value]))).toEqual({
      'dropped-records-total countWithStore late': 2,
      'dropped-records-total countWithStore null-key': 1,
    });
  });

  it.each(['update', 'close'] as const)('removes windows that are closed and out of sight: emit %s', (emit) => {
    const rows = new ScriptedStore(short);
    const scope = new ScriptedScope();
    const assembly = new Assembly(scope, rows.under(scope), emit);
    assembly.through('a', 1).through('b', 2).through('a', 12);
    expect(rows.starts).toEqual([0, 10]);
    assembly.through('a', 25);
    expect(rows.starts).toEqual([10, 20]);
    assembly.through('a', 100);
    expect(rows.starts).toEqual([100]);
  });

  it('removes what a former run left to remove', () => {
    const rows = new ScriptedStore(short);
    const before = new ScriptedScope();
    const first = new Assembly(before, rows.under(before), 'update');
    first.push('a', 1).push('a', 100);
    expect(rows.starts).toEqual([0, 100]);
    first.stop();
    const after = new ScriptedScope(before.cells);
    new Assembly(after, rows.under(after), 'update');
    after.runSteps();
    expect(rows.starts).toEqual([100]);
  });

  it('parks the task while a window is read from disk, and goes on when asked again', async () => {
    const scope = new ScriptedScope();
    let reads = 2;
    const store = new ScriptedStore(long).under(scope, () => (reads-- > 0 ? Promise.resolve() : undefined));
    const assembly = new Assembly(scope, store).push('a', 1).push('a', 25);
    for (let parked = 0; parked < 2; parked++) {
      const waiting = scope.runStep();
      expect(waiting).toBeInstanceOf(Promise);
      expect(assembly.emitted).toEqual([]);
      await waiting;
    }
    expect(scope.runStep()).toBe(true);
    expect(assembly.emitted).toEqual(['a@0=1']);
  });

  it('stops when what is downstream has failed', () => {
    const scope = new ScriptedScope();
    const store = new ScriptedStore(long).under(scope);
    const source = new Subject<KafkaRecord<string, string>>();
    const emitted: string[] = [];
    source.pipe(windowTumbling(windows), countWithStore(store, { emit: 'close' })).subscribe(({ key }) => {
      emitted.push(key.key);
      scope.failed = true;
    });
    for (const key of ['a', 'b', 'c']) source.next(record(key, 'v', 1));
    source.next(record('a', 'v', 25));
    expect(scope.runStep()).toBe(true);
    expect(emitted).toEqual(['a']);
  });

  it('stops when it is unsubscribed in the middle', () => {
    const scope = new ScriptedScope();
    const rows = new ScriptedStore(long);
    const assembly = new Assembly(scope, rows.under(scope)).push('a', 1).push('a', 25);
    assembly.stop();
    expect(scope.runStep()).toBe(true);
    expect(assembly.emitted).toEqual([]);
  });

  it('ends with an error when the store fails in a step', () => {
    const scope = new ScriptedScope();
    const store = new ScriptedStore(long).under(scope, () => {
      throw new Error('disk');
    });
    const assembly = new Assembly(scope, store).push('a', 1).push('a', 25);
    expect(scope.runStep()).toBe(true);
    expect(assembly.errors).toEqual([expect.objectContaining({ code: 'PROCESSING', where: { operator: 'countWithStore' } })]);
  });
});
