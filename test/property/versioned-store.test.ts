/** A versioned store beside maps that forget nothing: what a look-up may find follows from all that was ever accepted. */
import * as fc from 'fast-check';
import { int64, string } from '../../src/codec/primitives';
import { runtime } from '../../src/state/handle';
import { versionedStore } from '../../src/state/versioned-definition';
import type { VersionedHandle, VersionedRuntime } from '../../src/state/versioned-entries';
import { TestTask } from '../state/test-task';
import { rowsOnDisk } from './disk-contents';

const NAME = 'versions';
const KEYS = ['', 'a', 'aa', 'é', '😀'];
const HISTORY = 8;
const LATEST_TIME = 40;
/** More with PROPERTY_RUNS. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 20);

interface State {
  readonly newest: number;
  /** Everything accepted, by key, then time. */
  readonly versions: ReadonlyMap<string, ReadonlyMap<number, number | null>>;
}
const empty: State = { newest: -Infinity, versions: new Map() };

const key = fc.constantFrom(...KEYS);
const value = fc.option(fc.integer(), { freq: 3 });
const operation = fc.oneof(
  // Times that wander upwards, so that histories pass.
  { weight: 20, arbitrary: fc.record({ kind: fc.constant('place' as const), key, ahead: fc.integer({ min: -12, max: 5 }), value }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rollback' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('seal' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('committed' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('abort' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), decided: fc.boolean() }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never;

function sortedTimes(state: State, name: string): number[] {
  return [...(state.versions.get(name)?.keys() ?? [])].sort((a, b) => a - b);
}

/** By the definition alone. */
function asOf(state: State, name: string, time: number): number | undefined {
  const times = sortedTimes(state, name);
  const valid = times.filter((each) => each <= time).at(-1);
  if (valid === undefined || (valid !== times.at(-1) && time < state.newest - HISTORY)) return undefined;
  return state.versions.get(name)!.get(valid) ?? undefined;
}

/** How many versions of a key can be found, or may be: what the store is to keep once it has been written again. */
function findable(state: State, name: string): number {
  const times = sortedTimes(state, name);
  const knownFrom = state.newest - HISTORY;
  return times.filter((time, at) => {
    if (state.versions.get(name)!.get(time) === null) return time > knownFrom;
    return (times[at + 1] ?? Infinity) > knownFrom;
  }).length;
}

class Run {
  readonly task: TestTask;
  private active = empty;
  private checkpointed = empty;
  private sealed = empty;
  private committed = empty;

  constructor(
    private readonly persistent: boolean,
    cacheBytes: number,
  ) {
    const { shape } = versionedStore(NAME, { key: string, value: int64, history: HISTORY, persistent });
    this.task = new TestTask([shape], { cacheBytes, flushBytes: 1 });
  }

  async start(): Promise<void> {
    await this.task.start();
  }

  private get store(): VersionedRuntime<string, number> {
    return (this.task.stores.handle(NAME) as unknown as VersionedHandle<string, number>)[runtime];
  }

  async do(step: Operation): Promise<void> {
    const { task } = this;
    switch (step.kind) {
      case 'place':
        return this.place(step.key, step.value, Math.max(0, Math.min(LATEST_TIME, Math.max(0, this.active.newest) + step.ahead)));
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

  place(name: string, placed: number | null, time: number): void {
    const found = this.store.place(name, placed, time);
    if (time < this.active.newest - HISTORY) {
      expect(found).toBe('refused');
      return;
    }
    const latest = sortedTimes(this.active, name).at(-1) ?? -1;
    const versions = new Map(this.active.versions);
    versions.set(name, new Map(versions.get(name)).set(time, placed));
    this.active = { newest: Math.max(this.active.newest, time), versions };
    // A deletion that has left the history may have been forgotten: nothing older is accepted then.
    expect(found).toBe(time >= latest ? 'latest' : 'older');
    expect(this.rowsOf(name)).toBe(findable(this.active, name));
  }

  private rowsOf(name: string): number {
    return (this.store as unknown as { rows(of: string): readonly unknown[] }).rows(name).length;
  }

  check(): void {
    for (const name of KEYS) {
      const times = sortedTimes(this.active, name);
      expect(this.store.latest(name)?.value).toBe(this.active.versions.get(name)?.get(times.at(-1)!) ?? undefined);
      const [found, expected] = [[] as unknown[], [] as unknown[]];
      for (let time = 0; time <= LATEST_TIME + 1; time++) {
        found.push(this.store.asOf(name, time)?.value);
        expected.push(asOf(this.active, name, time));
      }
      expect(found).toEqual(expected);
    }
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
  }

  /** Everything leaves but the latest values, and then these: nothing is left behind on disk or in the changelog. */
  async end(): Promise<void> {
    await this.crash(false);
    for (const name of KEYS) this.store.place(name, null, LATEST_TIME + HISTORY);
    const last = LATEST_TIME + 3 * HISTORY;
    for (let at = 0; at < KEYS.length; at++) this.store.place('last', at, last);
    this.task.commit();
    await this.task.stores.flush();
    await this.task.stores.close();
    const live = new Map<string, boolean>();
    for (const record of this.task.changelogs[0]!.all()) live.set(Buffer.from(record.key).toString('hex'), record.value !== null);
    expect([...live.values()].filter((isLive) => isLive)).toHaveLength(1);
    if (this.persistent) expect((await rowsOnDisk(this.task, NAME)).size).toBe(1);
  }
}

describe('a versioned store finds what was valid, whatever commits, aborts, crashes and evictions do', () => {
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
