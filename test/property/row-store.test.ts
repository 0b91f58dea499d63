/** Stores whose windows belong to their key, beside maps that hold each layer whole. */
import * as fc from 'fast-check';
import { int64, string } from '../../src/codec/primitives';
import type { StoreShape } from '../../src/model/store-definition';
import type { ClosingIndex } from '../../src/state/closing-index';
import { sessionStore, windowStore } from '../../src/state/definition';
import type { RowRuntime } from '../../src/state/handle';
import { Row } from '../../src/state/rows';
import { TestTask } from '../state/test-task';
import { rowsOnDisk } from './disk-contents';

const NAME = 'rows';
const KEYS = ['', 'a', 'aa', 'é', '😀'];
const RETENTION = 20;
/** More with PROPERTY_RUNS. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 20);

interface Plain {
  readonly start: number;
  readonly end: number;
  readonly value: number;
  readonly timestamp: number;
}
interface State {
  readonly greatest: number;
  readonly keys: ReadonlyMap<string, readonly Plain[]>;
}
const EMPTY: State = { greatest: -Infinity, keys: new Map() };

const key = fc.constantFrom(...KEYS);
const row = fc.record({ start: fc.nat(30), length: fc.nat(8), value: fc.integer(), timestamp: fc.nat(60) });
const operation = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('put' as const), key, row }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('drop' as const), key, at: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('dropAll' as const), key }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('rows' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wrote' as const), time: fc.nat(40) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('close' as const), times: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rollback' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('seal' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('committed' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('abort' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), decided: fc.boolean() }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never;

interface Kind {
  readonly shape: (persistent: boolean) => StoreShape;
  readonly isSession: boolean;
}
const session: Kind = {
  isSession: true,
  shape: (persistent) => sessionStore(NAME, { key: string, value: int64, windows: { gap: 10 }, retention: RETENTION, persistent }).shape,
};
const sliding: Kind = {
  isSession: false,
  shape: (persistent) =>
    windowStore(NAME, { key: string, value: int64, windows: { difference: 8 }, retention: RETENTION, persistent }).shape,
};

class Run {
  readonly task: TestTask;
  private active = EMPTY;
  private checkpointed = EMPTY;
  private sealed = EMPTY;
  private committed = EMPTY;
  /** As an operator keeps it, with a cell: rows of earlier times have been closed. */
  private readonly closedBefore = { value: 0 };

  constructor(
    private readonly kind: Kind,
    persistent: boolean,
    cacheBytes: number,
  ) {
    this.task = new TestTask([kind.shape(persistent)], { cacheBytes, flushBytes: 1 });
  }

  async start(): Promise<void> {
    await this.task.start();
    this.subscribe();
  }

  private get store(): RowRuntime<string, number> {
    return this.task.rows<string, number>(NAME);
  }

  private get closings(): ClosingIndex {
    return this.store.closingIndex();
  }

  private cell(): { value: number } {
    return this.task.cells.cell<number>(NAME, 'openFrom', 0);
  }

  /** What an assembly does with what it finds. */
  private subscribe(): void {
    this.closings.openFrom = this.cell().value;
    this.closedBefore.value = this.cell().value;
  }

  private timeOf({ start, end }: Pick<Plain, 'start' | 'end'>): number {
    return this.kind.isSession ? end : start;
  }

  private order(a: Plain, b: Plain): number {
    return this.timeOf(a) - this.timeOf(b) || a.start - b.start;
  }

  private replace(name: string, rows: readonly Plain[], made: readonly Row<number>[], timestamp: number): void {
    const known = this.store.rows(name);
    const same = (a: Pick<Plain, 'start' | 'end'>) => (b: Row<number>) => a.start === b.start && a.end === b.end;
    this.store.replace(
      name,
      rows.map((each) => made.find(same(each)) ?? known.find(same(each))!),
      timestamp,
    );
    const keys = new Map(this.active.keys);
    if (rows.length === 0) keys.delete(name);
    else keys.set(name, rows);
    this.active = { keys, greatest: Math.max(this.active.greatest, ...rows.map((each) => this.timeOf(each))) };
  }

  private put(
    name: string,
    { start, length, value, timestamp }: { start: number; length: number; value: number; timestamp: number },
  ): void {
    const end = start + (this.kind.isSession ? length : 8);
    const others = (this.active.keys.get(name) ?? []).filter((other) => other.start !== start || other.end !== end);
    const rows = [...others, { start, end, value, timestamp }].sort((a, b) => this.order(a, b));
    this.replace(name, rows, [new Row(start, end, value, timestamp)], timestamp);
  }

  async do(step: Operation): Promise<void> {
    const { task } = this;
    switch (step.kind) {
      case 'put':
        return this.put(step.key, step.row);
      case 'drop': {
        const rows = this.active.keys.get(step.key) ?? [];
        return this.replace(step.key, [...rows.slice(0, step.at), ...rows.slice(step.at + 1)], [], 1);
      }
      case 'dropAll':
        return this.replace(step.key, [], [], 2);
      case 'rows':
        return this.checkRows(step.key);
      case 'wrote':
        this.store.wrote(step.time);
        this.active = { ...this.active, greatest: Math.max(this.active.greatest, step.time) };
        return;
      case 'close':
        return this.close(step.times);
      case 'checkpoint':
        task.stores.checkpoint();
        task.cells.checkpoint();
        this.checkpointed = this.active;
        return;
      case 'rollback':
        task.stores.rollback();
        task.cells.rollback();
        this.active = this.checkpointed;
        return this.subscribe();
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
        return this.subscribe();
      case 'flush':
        await task.stores.flush();
        return this.checkDisk();
      case 'crash':
        return this.crash(step.decided);
    }
  }

  /** Takes the keys of a few times, as a walk does that closes; leaves their rows where they are: no undone write brings them back. */
  private close(times: number): void {
    const { closings, store } = this;
    for (let i = 0; i < times && closings.size > 0; i++) {
      const time = closings.earliest;
      while (closings.earliest === time) {
        const name = closings.take()!;
        const next = store.rowsOf(name).find((each) => store.timeOf(each) > time);
        if (next !== undefined) closings.add(name, store.timeOf(next));
      }
      this.closedBefore.value = this.cell().value = closings.openFrom = Math.max(closings.openFrom, time + 1);
    }
  }

  private checkRows(name: string): void {
    const found = this.store.rows(name).map(({ start, end, value, timestamp }) => ({ start, end, value, timestamp }));
    expect(found).toEqual(this.active.keys.get(name) ?? []);
    expect(this.store.invisibleUpTo).toBe(this.active.greatest - RETENTION);
  }

  /** No index holds a time that is later than what a key has: what is due is never missed. */
  private checkDue(): void {
    const due = new Map(this.store.due!.entries());
    const closing = new Map(this.closings.entries());
    for (const [name, rows] of this.active.keys) {
      expect(due.get(name)).toBeLessThanOrEqual(this.timeOf(rows[0]!));
      const open = rows.find((each) => this.timeOf(each) >= this.closedBefore.value);
      if (open !== undefined) expect(closing.get(name) ?? Infinity).toBeLessThanOrEqual(this.timeOf(open));
    }
  }

  check(): void {
    for (const name of KEYS) this.checkRows(name);
    this.checkDue();
  }

  private async crash(decided: boolean): Promise<void> {
    const { task } = this;
    if (task.stores.hasSealed && decided) {
      task.decide();
      this.committed = this.sealed;
    }
    await task.crash();
    this.active = this.checkpointed = this.committed;
    this.subscribe();
    this.check();
    await this.checkDisk();
  }

  /** By a reading of disk and changelog that shares no code with the store. */
  private async checkDisk(): Promise<void> {
    const { task, kind } = this;
    if (!task.shapes[0]!.persistent) return;
    const tail = kind.isSession ? 16 : 12;
    const expected: string[] = [];
    const latest = new Map<string, string>();
    for (const { key, value, timestamp, offset } of task.changelogs[0]!.all()) {
      if (offset >= task.stores.position(NAME)) break;
      const bytes = Buffer.from(key);
      const time = bytes.readBigInt64BE(bytes.length - tail);
      const [end, start] = kind.isSession ? [time, bytes.readBigInt64BE(bytes.length - 8)] : [time + 8n, time];
      const bounds = `${bytes.toString('hex', 0, bytes.length - tail)} ${start} ${end}`;
      if (value === null) latest.delete(bounds);
      else latest.set(bounds, `${bounds} ${timestamp} ${Buffer.from(value as Uint8Array).readBigInt64BE(0)}`);
    }
    expected.push(...latest.values());
    const found: string[] = [];
    for (const [name, value] of await rowsOnDisk(task, NAME)) {
      const rows = Buffer.from(value.slice(value.indexOf(' ') + 1), 'hex');
      for (let at = 0; at < rows.length; at += 36) {
        const [start, end, timestamp] = [0, 8, 16].map((offset) => rows.readBigInt64BE(at + offset));
        found.push(`${name} ${start} ${end} ${timestamp} ${rows.readBigInt64BE(at + 28)}`);
      }
    }
    expect(found.sort()).toEqual(expected.sort());
  }

  async end(): Promise<void> {
    this.check();
    await this.crash(false);
    for (const name of KEYS) this.replace(name, [], [], 0);
    this.task.commit();
    await this.task.stores.flush();
    await this.task.stores.close();
    if (this.task.shapes[0]!.persistent) expect([...(await rowsOnDisk(this.task, NAME))]).toEqual([]);
  }
}

describe('a store with all rows of a key in one entry equals a map, whatever commits, aborts, crashes and evictions do', () => {
  it.each([
    ['sessions on disk, with room in memory', session, true, 1e6],
    ['sessions on disk, with next to no room in memory', session, true, 1],
    ['sliding windows on disk, with next to no room in memory', sliding, true, 1],
    ['sliding windows in memory', sliding, false, 1e6],
  ])('%s', async (_, kind, persistent, cacheBytes) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60, size: 'max' }), async (operations) => {
        const run = new Run(kind, persistent, cacheBytes);
        await run.start();
        for (const step of operations) {
          await run.do(step);
          run.check();
        }
        await run.end();
      }),
      { numRuns: RUNS },
    );
  });
});
