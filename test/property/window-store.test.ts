import * as fc from 'fast-check';
import { compareUtf8 } from '../../src/codec/identity';
import { int64, string } from '../../src/codec/primitives';
import { windowStore } from '../../src/state/definition';
import type { TimeWindows } from '../../src/model/window';
import type { WindowCursor, WindowRuntime } from '../../src/state/handle';
import { TestTask } from '../state/test-task';
import { foldOf, rowsOnDisk, sortedRows } from './disk-contents';

const NAME = 'counts';
const KEYS = ['', 'a', 'aa', 'b', '\uffff', '😀'];
/** Of windows that overlap 0 to 15, 20 and 30, and 40 lie together in memory, and 12 begins where none should. */
const STARTS = [0, 5, 12, 15, 20, 30, 40];
const RETENTION = 20;
/** More with PROPERTY_RUNS. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 40);

interface Row {
  readonly value: number;
  readonly timestamp: number;
}
/** Rows by window, then key. */
interface State {
  readonly greatest: number;
  readonly windows: ReadonlyMap<number, ReadonlyMap<string, Row>>;
}
const EMPTY: State = { greatest: -Infinity, windows: new Map() };

interface OpenCursor {
  readonly cursor: WindowCursor<string, number>;
  readonly expected: (readonly [string, Row])[];
}

const key = fc.constantFrom(...KEYS);
const start = fc.constantFrom(...STARTS);
const operation = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('write' as const), key, start, value: fc.integer(), timestamp: fc.nat() }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('remove' as const), key, start, timestamp: fc.nat() }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('find' as const), key, start }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('nextStart' as const), from: fc.integer({ min: -1, max: 45 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('open' as const), start, after: fc.option(key) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('walk' as const), steps: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('walkAll' as const), start }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('removeAll' as const), start, timestamp: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rollback' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('seal' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('committed' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('abort' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), decided: fc.boolean() }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never;

class Run {
  readonly task: TestTask;
  private active = EMPTY;
  private checkpointed = EMPTY;
  private sealed = EMPTY;
  private committed = EMPTY;
  private open: OpenCursor | undefined;

  constructor(windows: TimeWindows, persistent: boolean, cacheBytes: number) {
    const definition = windowStore(NAME, { key: string, value: int64, windows, retention: RETENTION, persistent });
    this.task = new TestTask([definition.shape], { cacheBytes, flushBytes: 1 });
  }

  private get store(): WindowRuntime<string, number> {
    return this.task.window<string, number>(NAME);
  }

  private change(at: number, name: string, row: Row | undefined): void {
    const window = new Map(this.active.windows.get(at));
    if (row === undefined) window.delete(name);
    else window.set(name, row);
    const windows = new Map(this.active.windows);
    if (window.size === 0) windows.delete(at);
    else windows.set(at, window);
    this.active = { windows, greatest: row === undefined ? this.active.greatest : Math.max(at, this.active.greatest) };
  }

  async do(step: Operation): Promise<void> {
    const { task, store } = this;
    switch (step.kind) {
      case 'write':
        store.write(step.key, step.start, step.value, step.timestamp);
        return this.change(step.start, step.key, { value: step.value, timestamp: step.timestamp });
      case 'remove':
        store.remove(step.key, step.start, step.timestamp);
        return this.change(step.start, step.key, undefined);
      case 'find':
        return this.checkFind(step.key, step.start);
      case 'nextStart':
        return this.checkNextStart(step.from);
      case 'open':
        return this.openCursor(step.start, step.after ?? undefined);
      case 'walk':
        for (let i = 0; i < step.steps; i++) await this.step();
        return;
      case 'walkAll':
        return this.walkAll(step.start);
      case 'removeAll':
        return this.removeAll(step.start, step.timestamp);
      case 'checkpoint':
        task.stores.checkpoint();
        task.cells.checkpoint();
        this.checkpointed = this.active;
        return;
      case 'rollback':
        task.stores.rollback();
        task.cells.rollback();
        this.active = this.checkpointed;
        return;
      case 'seal':
        if (task.stores.hasSealed) return;
        task.seal();
        this.sealed = this.checkpointed = this.active;
        return;
      case 'committed':
        if (!task.stores.hasSealed) return;
        task.committed();
        this.committed = this.sealed;
        return;
      case 'abort':
        task.abort();
        this.active = this.checkpointed = this.committed;
        return;
      case 'flush':
        await task.stores.flush();
        return this.checkDisk();
      case 'crash':
        return this.crash(step.decided);
    }
  }

  private checkFind(name: string, at: number): void {
    const { greatest, windows } = this.active;
    expect(this.store.invisibleUpTo).toBe(greatest - RETENTION);
    expect(this.store.find(name, at)).toEqual(at <= greatest - RETENTION ? undefined : windows.get(at)?.get(name));
  }

  private checkAll(): void {
    const { greatest, windows } = this.active;
    const places = STARTS.flatMap((at) => KEYS.map((name) => ({ at, name })));
    const visible = places.map(({ at, name }) => (at <= greatest - RETENTION ? undefined : windows.get(at)?.get(name)));
    expect(places.map(({ at, name }) => this.store.find(name, at))).toEqual(visible);
  }

  private rows(at: number, after?: string): (readonly [string, Row])[] {
    const rows = [...(this.active.windows.get(at) ?? [])].filter(([name]) => after === undefined || compareUtf8(name, after) > 0);
    return rows.sort(([a], [b]) => compareUtf8(a, b));
  }

  /** May name a window that has no entries, but walking that one to its end settles it. */
  private async checkNextStart(from: number): Promise<void> {
    const expected = Math.min(...[...this.active.windows.keys()].filter((at) => at >= from));
    for (let i = 0; i <= STARTS.length; i++) {
      const next = this.store.nextStart(from);
      if (next === expected) return;
      expect(next).toBeLessThan(expected);
      const cursor = this.store.open(next);
      expect(await advance(cursor)).toBe(false);
    }
    throw new Error(`nextStart(${from}) does not come to ${expected}`);
  }

  private openCursor(at: number, after: string | undefined): void {
    this.open?.cursor.close();
    this.open = { cursor: this.store.open(at, after), expected: this.rows(at, after) };
  }

  private async step(): Promise<void> {
    if (this.open === undefined) return;
    const { cursor, expected } = this.open;
    const next = expected.shift();
    expect(await advance(cursor)).toBe(next !== undefined);
    if (next === undefined) this.open = undefined;
    else expect([cursor.key, cursor.identity, cursor.entry]).toEqual([next[0], next[0], next[1]]);
  }

  /** Leaves everything where it is. */
  private async walkAll(at: number): Promise<void> {
    const cursor = this.store.open(at);
    const found: [string, Row][] = [];
    while (await advance(cursor)) found.push([cursor.key, cursor.entry]);
    const expected = this.rows(at);
    expect(found).toEqual(expected);
    expect(this.store.nextStart(at) === at).toBe(expected.length > 0);
  }

  /** What closing a window does. */
  private async removeAll(at: number, timestamp: number): Promise<void> {
    const cursor = this.store.openUnordered(at);
    const expected = this.rows(at).map(([name]) => name);
    const found: string[] = [];
    while (await advance(cursor)) {
      found.push(cursor.key);
      this.store.remove(cursor.key, at, timestamp);
      this.change(at, cursor.key, undefined);
    }
    expect(found.sort(compareUtf8)).toEqual(expected);
    expect(this.store.nextStart(at)).not.toBe(at);
  }

  private async crash(decided: boolean): Promise<void> {
    const { task } = this;
    if (task.stores.hasSealed && decided) {
      task.decide();
      this.committed = this.sealed;
    }
    this.open = undefined;
    await task.crash();
    this.active = this.checkpointed = this.committed;
    await this.checkDisk();
  }

  private async checkDisk(): Promise<void> {
    const { task } = this;
    if (!task.shapes[0]!.persistent) return;
    const position = task.stores.position(NAME);
    expect(sortedRows(await rowsOnDisk(task, NAME))).toEqual(sortedRows(foldOf(task.changelogs[0]!, true, position)));
  }

  async end(): Promise<void> {
    this.checkAll();
    await this.crash(false);
    this.checkAll();
    for (const at of STARTS) await this.removeAll(at, 0);
    this.task.commit();
    await this.task.stores.flush();
    await this.task.stores.close();
    expect(sortedRows(await rowsOnDisk(this.task, NAME))).toEqual([]);
    expect(this.task.disk.openSnapshots).toBe(0);
  }
}

async function advance(cursor: WindowCursor<string, number>): Promise<boolean> {
  for (;;) {
    const more = cursor.next();
    if (typeof more === 'boolean') return more;
    await more;
  }
}

const tumbling = { size: 10, grace: 5 };
const hopping = { size: 15, advance: 5, grace: 5 };

describe('a window store equals a map, whatever commits, aborts, crashes, evictions and open cursors do', () => {
  it.each([
    ['on disk, with room in memory', tumbling, true, 1e6],
    ['on disk, with next to no room in memory', tumbling, true, 1],
    ['in memory', tumbling, false, 1e6],
    ['windows that overlap, on disk, with room in memory', hopping, true, 1e6],
    ['windows that overlap, on disk, with room in memory for some', hopping, true, 2_500],
    ['windows that overlap, on disk, with next to no room in memory', hopping, true, 1],
    ['windows that overlap, in memory', hopping, false, 1e6],
  ])('%s', async (_, windows, persistent, cacheBytes) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 80, size: 'max' }), async (operations) => {
        const run = new Run(windows, persistent, cacheBytes);
        await run.task.start();
        for (const step of operations) await run.do(step);
        await run.end();
      }),
      { numRuns: RUNS },
    );
  });
});
