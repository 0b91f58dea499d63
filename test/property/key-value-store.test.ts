import * as fc from 'fast-check';
import { compareUtf8 } from '../../src/codec/identity';
import { int64, string } from '../../src/codec/primitives';
import { keyValueStore } from '../../src/state/definition';
import type { KeyValueHandle } from '../../src/state/handle';
import { TestTask } from '../state/test-task';
import { foldOf, rowsOnDisk, sortedRows } from './disk-contents';

const NAME = 'balances';
const KEYS = ['', 'a', 'aa', 'ab', 'b', 'é', '\uffff', '😀', 'z\u0000'];
/** More with PROPERTY_RUNS. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 40);

interface Row {
  readonly value: number;
  readonly timestamp: number;
}
type State = ReadonlyMap<string, Row>;

const key = fc.constantFrom(...KEYS);
const operation = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('write' as const), key, value: fc.integer(), timestamp: fc.nat() }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('remove' as const), key, timestamp: fc.nat() }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('find' as const), key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('range' as const), from: fc.option(key), to: fc.option(key) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rollback' as const) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('seal' as const) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('committed' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('abort' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('flush' as const), outcome: fc.constantFrom('done', 'held', 'retried') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), refused: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), survivors: fc.nat(2), decided: fc.boolean() }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never;

/** The store beside maps that hold each layer whole. */
class Run {
  readonly task: TestTask;
  private active: State = new Map();
  private checkpointed: State = new Map();
  private sealed: State | undefined;
  private committed: State = new Map();
  private flushes: Promise<unknown>[] = [];

  constructor(persistent: boolean, cacheBytes: number) {
    const definition = keyValueStore(NAME, { key: string, value: int64, persistent });
    this.task = new TestTask([definition.shape], { cacheBytes, flushBytes: 1 });
  }

  private get store(): ReturnType<TestTask['keyValue']> {
    return this.task.keyValue<unknown, unknown>(NAME);
  }

  private change(name: string, row: Row | undefined): void {
    const next = new Map(this.active);
    if (row === undefined) next.delete(name);
    else next.set(name, row);
    this.active = next;
  }

  async do(step: Operation): Promise<void> {
    const { task } = this;
    switch (step.kind) {
      case 'write':
        this.store.write(step.key, step.value, step.timestamp);
        return this.change(step.key, { value: step.value, timestamp: step.timestamp });
      case 'remove':
        this.store.remove(step.key, step.timestamp);
        return this.change(step.key, undefined);
      case 'find':
        return expect(this.store.find(step.key)).toEqual(this.active.get(step.key));
      case 'range':
        return this.checkRange(step.from ?? undefined, step.to ?? undefined);
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
        this.checkSealedOnce();
        this.sealed = this.checkpointed = this.active;
        return;
      case 'committed':
        if (!task.stores.hasSealed) return;
        task.committed();
        this.committed = this.sealed!;
        return;
      case 'abort':
        task.abort();
        this.active = this.checkpointed = this.committed;
        return;
      case 'flush':
        return this.flush(step.outcome);
      case 'release':
        if (step.refused) task.disk.refuse();
        await task.disk.release();
        return this.settle();
      case 'crash':
        return this.crash(step.survivors, step.decided);
    }
  }

  private checkSealedOnce(): void {
    const keys = (this.task.sealed.get(NAME) ?? []).map((record) => Buffer.from(record.key).toString('hex'));
    expect(keys).toEqual([...new Set(keys)]);
  }

  private async flush(outcome: string): Promise<void> {
    const { task } = this;
    task.disk.holding = outcome === 'held' && this.flushes.length === 0;
    if (outcome === 'retried') task.disk.failing = 2;
    this.flushes.push(refusedAtMost(task.stores.flush()));
    await task.clock.advance(1_000);
    if (outcome !== 'held' && task.disk.heldWrites === 0) await this.settle();
  }

  private async settle(): Promise<void> {
    let done = false;
    const all = Promise.all(this.flushes.splice(0)).finally(() => {
      done = true;
    });
    while (!done) await this.task.clock.advance(1_000);
    await all;
  }

  private async crash(survivors: number, decided: boolean): Promise<void> {
    const { task } = this;
    if (task.stores.hasSealed && decided) {
      task.decide();
      this.committed = this.sealed!;
    }
    this.flushes = [];
    await task.crash(survivors);
    this.active = this.checkpointed = this.committed;
    await this.checkDisk();
  }

  private async checkRange(from: string | undefined, to: string | undefined): Promise<void> {
    const expected = [...this.active]
      .filter(([name]) => (from === undefined || compareUtf8(name, from) >= 0) && (to === undefined || compareUtf8(name, to) <= 0))
      .sort(([a], [b]) => compareUtf8(a, b))
      .map(([name, { value }]) => [name, value]);
    const handle = this.task.stores.handle(NAME) as KeyValueHandle<unknown, unknown>;
    const found: unknown[] = [];
    for await (const row of handle.range(from, to)) found.push(row);
    expect(found).toEqual(expected);
  }

  /** Disk holds what the changelog says up to the position on disk. */
  async checkDisk(): Promise<void> {
    const { task } = this;
    if (!task.shapes[0]!.persistent || this.flushes.length > 0) return;
    const position = task.stores.position(NAME);
    expect(sortedRows(await rowsOnDisk(task, NAME))).toEqual(sortedRows(foldOf(task.changelogs[0]!, false, position)));
  }

  async end(): Promise<void> {
    const { task } = this;
    for (const name of KEYS) expect(this.store.find(name)).toEqual(this.active.get(name));
    await task.disk.release();
    this.flushes.push(task.stores.flush());
    await this.settle();
    await this.checkDisk();
    await task.crash();
    for (const name of KEYS) expect(this.store.find(name)).toEqual(this.committed.get(name));
    expect(task.disk.openSnapshots).toBe(0);
  }
}

/** A disk that refuses too often is said to be full; what was to be flushed is flushed later. */
async function refusedAtMost(flush: Promise<void>): Promise<void> {
  await flush.catch((error: unknown) => {
    expect(error).toMatchObject({ code: 'STATE_IO', retryable: true });
  });
}

describe('a key-value store equals a map, whatever commits, aborts, crashes and evictions do', () => {
  it.each([
    ['on disk, with room in memory', true, 1e6],
    ['on disk, with next to no room in memory', true, 1],
    ['in memory', false, 1e6],
    ['in memory, with next to no room', false, 1],
  ])('%s', async (_, persistent, cacheBytes) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 80, size: 'max' }), async (operations) => {
        const run = new Run(persistent, cacheBytes);
        await run.task.start();
        for (const step of operations) await run.do(step);
        await run.end();
      }),
      { numRuns: RUNS },
    );
  });
});
