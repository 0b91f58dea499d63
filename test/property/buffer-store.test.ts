/** Records that wait beside a list that holds each layer whole. */
import * as fc from 'fast-check';
import { int64, string } from '../../src/codec/primitives';
import { bufferStore } from '../../src/state/buffer-definition';
import type { BufferHandle, BufferRuntime } from '../../src/state/buffer-entries';
import { runtime } from '../../src/state/handle';
import { TestTask } from '../state/test-task';
import { rowsOnDisk } from './disk-contents';

const NAME = 'waiting';
const KEYS = ['', 'a', 'aa', 'é', '😀'];
/** More with PROPERTY_RUNS. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 20);

interface Plain {
  readonly key: string;
  readonly time: number;
  readonly value: number;
  /** A header of it; undefined: it has none. */
  readonly trace: string | undefined;
}

const key = fc.constantFrom(...KEYS);
const trace = fc.option(fc.string(), { nil: undefined });
const operation = fc.oneof(
  { weight: 20, arbitrary: fc.record({ kind: fc.constant('keep' as const), key, time: fc.nat(12), value: fc.integer(), trace }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('release' as const), until: fc.nat(12), most: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rollback' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('seal' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('committed' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('abort' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), decided: fc.boolean() }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never;

const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8');
/** The sort is stable: what is equal stays in the order in which it came. */
const inOrder = (waiting: readonly Plain[]): Plain[] =>
  [...waiting].sort((a, b) => a.time - b.time || Buffer.compare(bytesOf(a.key), bytesOf(b.key)));

class Run {
  readonly task: TestTask;
  private active: readonly Plain[] = [];
  private checkpointed = this.active;
  private sealed = this.active;
  private committed = this.active;

  constructor(
    private readonly persistent: boolean,
    cacheBytes: number,
  ) {
    this.task = new TestTask([bufferStore(NAME, { key: string, value: int64, persistent }).shape], { cacheBytes, flushBytes: 1 });
  }

  async start(): Promise<void> {
    await this.task.start();
  }

  private get store(): BufferRuntime<string, number> {
    return (this.task.stores.handle(NAME) as unknown as BufferHandle<string, number>)[runtime];
  }

  async do(step: Operation): Promise<void> {
    const { task } = this;
    switch (step.kind) {
      case 'keep':
        return this.keep(step);
      case 'release':
        return this.release(step.until, step.most);
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
        return task.stores.flush();
      case 'crash':
        return this.crash(step.decided);
    }
  }

  private keep({ key: name, time, value, trace: traced }: Plain): void {
    this.store.keep(name, value, time, new Map(traced === undefined ? [] : [['trace', bytesOf(traced)]]));
    this.active = [...this.active, { key: name, time, value, trace: traced }];
  }

  /** Up to a time, and no more than so many. */
  private release(until: number, most: number): void {
    for (const expected of inOrder(this.active).slice(0, most)) {
      const next = this.store.next(until);
      if (expected.time > until) {
        expect(next).toBeUndefined();
        return;
      }
      const { key: name, time, entry } = next!;
      const traced = entry.value.headers.get('trace');
      const found: Plain = {
        key: name.key,
        time,
        value: entry.value.value!,
        trace: traced === undefined ? undefined : Buffer.from(traced).toString(),
      };
      expect(found).toEqual(expected);
      expect(entry.timestamp).toBe(time);
      this.store.letGo(next!, 99);
      this.active = this.active.filter((waiting) => waiting !== expected);
    }
  }

  /** What is due is never missed. */
  check(): void {
    expect(this.store.earliest).toBeLessThanOrEqual(Math.min(Infinity, ...this.active.map(({ time }) => time)));
  }

  private async crash(decided: boolean): Promise<void> {
    const { task } = this;
    if (task.stores.hasSealed && decided) {
      task.decide();
      this.committed = this.sealed;
    }
    await task.crash();
    this.active = this.checkpointed = this.committed;
  }

  async end(): Promise<void> {
    await this.crash(false);
    this.release(Infinity, Infinity);
    expect(this.active).toEqual([]);
    expect(this.store.next(Infinity)).toBeUndefined();
    this.task.commit();
    await this.task.stores.flush();
    await this.task.stores.close();
    if (this.persistent) expect([...(await rowsOnDisk(this.task, NAME))]).toEqual([]);
  }
}

describe('what waits comes out in order, whatever commits, aborts, crashes and evictions do', () => {
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
