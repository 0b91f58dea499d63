/** What is said of a restore under way, and how often. */
import { RestoreReport } from '../../src/commit/restore-report';
import type { RestoreProgress } from '../../src/model/restore-progress';
import type { StoreProgress } from '../../src/state/restore';
import { manualClock } from '../../src/time/manual-clock';

const clock = manualClock();
const events: RestoreProgress[] = [];
const lines: string[] = [];
const ignored = (): void => undefined;
const logger = { debug: ignored, warn: ignored, error: ignored, info: (_: object, message: string) => void lines.push(message) };

beforeEach(() => {
  events.length = lines.length = 0;
});

const reportOf = (task?: number): RestoreReport =>
  new RestoreReport({ clock, logger, emit: (event) => void events.push(event), ...(task !== undefined && { task }) });
const at = (store: string, records: number, left: number, done = false): StoreProgress => {
  return { store, topic: `app-${store}-changelog`, records, left, done };
};

describe('a report of a restore', () => {
  it('tells each store’s first and last step, and at most ten a second between them', async () => {
    const { progress } = reportOf(3);
    progress(at('counts', 0, 1_000));
    for (let records = 10; records <= 1_000; records += 10) {
      await clock.advance(5);
      progress(at('counts', records, 1_000 - records));
    }
    progress(at('counts', 1_000, 0, true));
    expect(events.map(({ records, done }) => [records, done])).toEqual([
      ...[0, 200, 400, 600, 800, 1_000].map((records) => [records, false]),
      [1_000, true],
    ]);
    expect(events[0]).toMatchObject({ task: 3, store: 'counts', topic: 'app-counts-changelog', rate: 0, remaining: Infinity });
    expect(events[2]).toMatchObject({ left: 600, rate: 2_000, remaining: 300 });
    expect(events.at(-1)).toMatchObject({ left: 0, remaining: 0 });
  });

  it('adds up the stores of the task, which is done when all of them are', async () => {
    const { progress } = reportOf(3);
    progress(at('counts', 0, 600));
    progress(at('names', 0, 400));
    await clock.advance(200);
    progress(at('counts', 600, 0, true));
    progress(at('names', 200, 200));
    expect(events.at(-1)?.ofTask).toEqual({ records: 800, left: 200, rate: 4_000, remaining: 50, done: false });
    progress(at('names', 400, 0, true));
    expect(events.at(-1)?.ofTask).toMatchObject({ records: 1_000, left: 0, done: true });
  });

  it('writes a line about the task once a second, not for each store', async () => {
    const { progress } = reportOf(3);
    for (let tenths = 0; tenths <= 25; tenths++) {
      progress(at('counts', 100 * tenths, 5_000 - 100 * tenths));
      progress(at('names', 100 * tenths, 5_000 - 100 * tenths));
      await clock.advance(100);
    }
    expect(lines).toEqual([
      'task 3 is being restored: 1900 records read, 8100 offsets left, about 5 s',
      'task 3 is being restored: 3900 records read, 6100 offsets left, about 4 s',
    ]);
  });

  it('says when all stores of the task are done, however short it was', async () => {
    const { progress } = reportOf(3);
    progress(at('counts', 0, 600));
    progress(at('names', 0, 400));
    await clock.advance(50);
    progress(at('counts', 600, 0, true));
    expect(lines).toEqual([]);
    progress(at('names', 400, 0, true));
    expect(lines).toEqual(['task 3 is restored: 1000 records read']);
  });

  it('speaks of a global table without a task', async () => {
    const { progress } = reportOf();
    progress(at('products', 0, 5_000));
    await clock.advance(1_000);
    progress(at('products', 1_000, 4_000));
    expect('task' in events[0]!).toBe(false);
    expect(lines).toEqual(['global table "products": 1000 records read, 4000 offsets left, about 4 s']);
  });

  it('gives plain data, which crosses to another thread as it is', () => {
    reportOf(0).progress(at('counts', 0, 7));
    expect(structuredClone(events[0])).toEqual(events[0]);
  });
});
