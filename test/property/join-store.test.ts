/** The store of a join beside maps that hold each layer whole. */
import * as fc from 'fast-check';
import { int64, string } from '../../src/codec/primitives';
import { runtime } from '../../src/state/handle';
import { joinStore } from '../../src/state/join-definition';
import type { JoinHandle, JoinRuntime } from '../../src/state/join-entries';
import { Joining, LEFT, numberOf, RIGHT, settledRow, type Side, withRow } from '../../src/state/join-rows';
import { TestTask } from '../state/test-task';
import { rowsOnDisk } from './disk-contents';

const NAME = 'pairs';
const KEYS = ['', 'a', 'aa', 'é', '😀'];
/** More with PROPERTY_RUNS. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 20);

interface Plain {
  readonly time: number;
  readonly side: Side;
  readonly number: number;
  readonly value: number;
  readonly waits: boolean;
}
type State = ReadonlyMap<string, readonly Plain[]>;

const key = fc.constantFrom(...KEYS);
const side = fc.constantFrom<Side>(LEFT, RIGHT);
const operation = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({ kind: fc.constant('keep' as const), key, side, time: fc.nat(12), value: fc.integer(), waits: fc.boolean() }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('settle' as const), key, at: fc.nat(4) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('closeFirst' as const), side }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('removeFirst' as const), side }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('dropAll' as const), key }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('rows' as const), key }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rollback' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('seal' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('committed' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('abort' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), decided: fc.boolean() }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never;

const order = (a: Plain, b: Plain): number => a.time - b.time || a.side - b.side || a.number - b.number;
const shapeOf = (persistent: boolean) =>
  joinStore(NAME, { key: string, left: int64, right: int64, windows: { before: 5, after: 5 }, persistent }).shape;

class Run {
  readonly task: TestTask;
  private active: State = new Map();
  private checkpointed = this.active;
  private sealed = this.active;
  private committed = this.active;

  constructor(persistent: boolean, cacheBytes: number) {
    this.task = new TestTask([shapeOf(persistent)], { cacheBytes, flushBytes: 1 });
  }

  async start(): Promise<void> {
    await this.task.start();
  }

  private get store(): JoinRuntime<string, number> {
    return (this.task.stores.handle(NAME) as unknown as JoinHandle<string, number, number>)[runtime];
  }

  private rowsOf(name: string): readonly Plain[] {
    return this.active.get(name) ?? [];
  }

  private set(name: string, rows: readonly Plain[]): void {
    const active = new Map(this.active);
    if (rows.length === 0) active.delete(name);
    else active.set(name, [...rows].sort(order));
    this.active = active;
  }

  async do(step: Operation): Promise<void> {
    const { task } = this;
    switch (step.kind) {
      case 'keep':
        return this.keep(step);
      case 'settle':
        return this.settle(step.key, step.at);
      case 'closeFirst':
        return this.closeFirst(step.side);
      case 'removeFirst':
        return this.removeFirst(step.side);
      case 'dropAll':
        this.store.replace(step.key, [], 2);
        return this.set(step.key, []);
      case 'rows':
        return this.checkRows(step.key);
      case 'checkpoint':
        task.stores.checkpoint();
        this.checkpointed = this.active;
        return;
      case 'rollback':
        task.stores.rollback();
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

  private keep({ key: name, side: from, time, value, waits }: Omit<Plain, 'number'> & { readonly key: string }): void {
    const joining = new Joining(from, value, waits);
    this.store.replace(name, withRow(this.store.rows(name), time, joining), time);
    this.store.added(name, time, joining);
    const equals = this.rowsOf(name).filter((row) => row.time === time && row.side === from);
    const number = Math.max(-1, ...equals.map((row) => row.number)) + 1;
    this.set(name, [...this.rowsOf(name), { time, side: from, number, value, waits }]);
  }

  private settle(name: string, at: number): void {
    const known = this.store.rows(name);
    if (at >= known.length) return;
    this.store.replace(
      name,
      known.map((row, index) => (index === at ? settledRow(row) : row)),
      3,
    );
    this.set(
      name,
      this.rowsOf(name).map((row, index) => (index === at ? { ...row, waits: false } : row)),
    );
  }

  /** What a close does: takes the first key of an index, and says what is next of it. */
  private closeFirst(which: Side): void {
    const index = this.store.waiting(which);
    const time = index.earliest;
    const identity = index.take();
    if (identity === undefined) return;
    const rows = this.store.rowsOf(identity);
    const isWaiting = (row: (typeof rows)[number]): boolean => row.value.side === which && row.value.waits;
    const first = rows.findIndex(isWaiting);
    if (first >= 0 && rows[first]!.start === time) this.settle(this.store.keyOf(identity), first);
    const next = this.store.rowsOf(identity).find(isWaiting);
    if (next !== undefined) index.add(identity, next.start);
  }

  private removeFirst(which: Side): void {
    const index = this.store.kept(which);
    const time = index.earliest;
    const identity = index.take();
    if (identity === undefined) return;
    const name = this.store.keyOf(identity);
    const needed = this.store.rows(name).filter((row) => row.value.side !== which || row.start > time);
    this.store.replace(name, needed, 4);
    this.set(
      name,
      this.rowsOf(name).filter((row) => row.side !== which || row.time > time),
    );
    const first = needed.find((row) => row.value.side === which);
    if (first !== undefined) index.add(identity, first.start);
  }

  private checkRows(name: string): void {
    const found = this.store.rows(name).map((row): Plain => {
      const { side: from, value, waits } = row.value;
      return { time: row.start, side: from, number: numberOf(row), value, waits };
    });
    expect(found).toEqual(this.rowsOf(name));
  }

  /** No index holds a time that is later than what a key has: what is due is never missed. */
  private checkDue(): void {
    for (const which of [LEFT, RIGHT] as const) {
      const [kept, waiting] = [new Map(this.store.kept(which).entries()), new Map(this.store.waiting(which).entries())];
      for (const [name, rows] of this.active) {
        const own = rows.filter((row) => row.side === which);
        if (own.length > 0) expect(kept.get(name) ?? Infinity).toBeLessThanOrEqual(own[0]!.time);
        const first = own.find(({ waits }) => waits);
        if (first !== undefined) expect(waiting.get(name) ?? Infinity).toBeLessThanOrEqual(first.time);
      }
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
    this.check();
    await this.checkDisk();
  }

  /** By a reading of disk and changelog that shares no code with the store. */
  private async checkDisk(): Promise<void> {
    const { task } = this;
    if (!task.shapes[0]!.persistent) return;
    const latest = new Map<string, string>();
    for (const { key: bytes, value, offset } of task.changelogs[0]!.all()) {
      if (offset >= task.stores.position(NAME)) break;
      const name = Buffer.from(bytes);
      const at = name.length - 13;
      const row = `${name.toString('hex', 0, at)} ${name.readBigInt64BE(at)} ${name[at + 8]} ${name.readInt32BE(at + 9)}`;
      if (value === null) latest.delete(row);
      else latest.set(row, `${row} ${Buffer.from(value as Uint8Array).toString('hex')}`);
    }
    const found: string[] = [];
    for (const [name, value] of await rowsOnDisk(task, NAME)) {
      const rows = Buffer.from(value.slice(value.indexOf(' ') + 1), 'hex');
      for (let at = 0; at < rows.length; at += 28 + rows.readInt32BE(at + 24)) {
        const [from, number] = [rows.readInt32BE(at + 8), rows.readInt32BE(at + 12)];
        const kept = rows.toString('hex', at + 28, at + 28 + rows.readInt32BE(at + 24));
        found.push(`${name} ${rows.readBigInt64BE(at)} ${from} ${number} ${kept}`);
      }
    }
    expect(found.sort()).toEqual([...latest.values()].sort());
  }

  async end(): Promise<void> {
    this.check();
    await this.crash(false);
    for (const name of KEYS) this.store.replace(name, [], 0);
    this.task.commit();
    await this.task.stores.flush();
    await this.task.stores.close();
    if (this.task.shapes[0]!.persistent) expect([...(await rowsOnDisk(this.task, NAME))]).toEqual([]);
  }
}

describe('the store of a join equals a map, whatever commits, aborts, crashes and evictions do', () => {
  it.each([
    ['on disk, with room in memory', true, 1e6],
    ['on disk, with next to no room in memory', true, 1],
    ['in memory', false, 1e6],
  ])('%s', async (_, persistent, cacheBytes) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60, size: 'max' }), async (operations) => {
        const run = new Run(persistent, cacheBytes);
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
