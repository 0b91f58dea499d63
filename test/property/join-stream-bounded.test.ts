/** A long run: what a join keeps is bounded by its window, in memory, on disk and in the changelog. */
import { Subject } from 'rxjs';
import { joinStream } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import type { KafkaRecord } from '../../src/model/record';
import { runtime } from '../../src/state/handle';
import { joinStore } from '../../src/state/join-definition';
import type { JoinEntries, JoinHandle } from '../../src/state/join-entries';
import { LEFT, RIGHT } from '../../src/state/join-rows';
import type { Scope, Step } from '../../src/state/scope';
import { record } from '../../src/testing';
import { rowsOnDisk } from './disk-contents';
import { scopeOver, TestTask } from '../state/test-task';

const RECORDS = 200_000;
const COMMIT_EVERY = 2_000;
const KEYS = 1_000;
/** before + after + grace: at one record of either side a millisecond, so many records of each are needed. */
const SPAN = 3_000;
const definition = joinStore('pairs', { key: string, left: int64, right: int64, windows: { before: 1_000, after: 1_500, grace: 500 } });

class LongRun {
  readonly task: TestTask;
  private readonly steps: Step[] = [];
  private readonly left = new Subject<KafkaRecord<string, number>>();
  private readonly right = new Subject<KafkaRecord<string, number>>();
  /** Rows that a changelog compacted whole would hold. */
  private readonly live = new Set<string>();
  results = 0;

  constructor() {
    this.task = new TestTask([definition.shape], { scope: this.scope(), cacheBytes: 4e6 });
  }

  private scope(): Scope {
    const scope = {
      ...scopeOver(undefined as never),
      cell: (store: string, name: string, initial: never) => this.task.cells.cell(store, name, initial),
      eventTime: (store: string, advanced: () => void, name?: string) => scopeOver(this.task.cells).eventTime(store, advanced, name),
      drive: (step: Step) => void this.steps.push(step),
    };
    return scope as Scope;
  }

  async start(): Promise<void> {
    await this.task.start();
    const store = this.task.stores.handle('pairs') as unknown as JoinHandle<string, number, number>;
    const pair = (left: number | undefined, right: number | undefined): number => (left ?? 0) + (right ?? 0);
    this.left.pipe(joinStream(this.right, store, pair, { kind: 'outer' })).subscribe(() => this.results++);
  }

  push(side: 'left' | 'right', key: string, timestamp: number): void {
    this[side].next(record(key, timestamp, timestamp));
    for (let step = this.steps.at(-1); step !== undefined; step = this.steps.at(-1)) if (step() === true) this.steps.pop();
  }

  /** As a task does; the log of the test keeps nothing, or its memory would be what is measured. */
  async commit(): Promise<void> {
    this.task.seal();
    for (const { key, value } of this.task.sealed.get('pairs') ?? []) {
      const name = Buffer.from(key).toString('latin1');
      if (value === null) this.live.delete(name);
      else this.live.add(name);
    }
    this.task.stores.committed(new Map());
    this.task.cells.commit();
    await this.task.stores.flush();
  }

  private get entries(): JoinEntries<string, number> {
    const store = this.task.stores.handle('pairs') as unknown as JoinHandle<string, number, number>;
    return store[runtime] as JoinEntries<string, number>;
  }

  async kept(): Promise<{ disk: number; changelog: number; indexed: number; cachedBytes: number }> {
    const { entries } = this;
    let disk = 0;
    for (const value of (await rowsOnDisk(this.task, 'pairs')).values()) {
      const rows = Buffer.from(value.slice(value.indexOf(' ') + 1), 'hex');
      for (let at = 0; at < rows.length; at += 28 + rows.readInt32BE(at + 24)) disk++;
    }
    let indexed = 0;
    for (const side of [LEFT, RIGHT] as const) indexed += entries.kept(side).size + entries.waiting(side).size;
    return { disk, changelog: this.live.size, indexed, cachedBytes: this.task.stores.cachedBytes };
  }
}

it('a join keeps no more than its window of 200,000 records', async () => {
  const run = new LongRun();
  await run.start();
  let most = { disk: 0, changelog: 0, indexed: 0, cachedBytes: 0 };
  for (let at = 0; at < RECORDS / 2; at++) {
    // A third of the keys meets nobody.
    run.push('left', `k${(at * 7) % KEYS}`, at);
    run.push('right', `${at % 3 === 0 ? 'r' : 'k'}${(at * 11) % KEYS}`, at - (at % 400));
    if ((2 * at) % COMMIT_EVERY !== 0) continue;
    await run.commit();
    const kept = await run.kept();
    most = {
      disk: Math.max(most.disk, kept.disk),
      changelog: Math.max(most.changelog, kept.changelog),
      indexed: Math.max(most.indexed, kept.indexed),
      cachedBytes: Math.max(most.cachedBytes, kept.cachedBytes),
    };
  }
  expect(run.results).toBeGreaterThan(RECORDS / 2);
  // Some 400 of the right side lie in time behind event time.
  const needed = 2 * (SPAN + 400);
  expect(most.disk).toBeLessThanOrEqual(needed);
  expect(most.changelog).toBe(most.disk);
  // Two indexes a side, a place for each key that has rows; the keys of each side are at most KEYS and another KEYS.
  expect(most.indexed).toBeLessThanOrEqual(8 * KEYS);
  expect(most.cachedBytes).toBeLessThan(4e6 + 1e6);
}, 120_000);
