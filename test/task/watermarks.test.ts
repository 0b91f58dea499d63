/** Event time of one task: when an input that is idle may be left out. */
import { CellTable } from '../../src/state/cells';
import type { EventTime } from '../../src/state/event-time';
import type { InputWatch } from '../../src/task/input-buffer';
import type { SourceWatermark } from '../../src/task/input-watermarks';
import { BatchReader } from '../../src/kafka/batch-decode';
import { BatchBuilder, stamp } from '../../src/kafka/batch-encode';
import { markerHeaders } from '../../src/task/watermark-marker';
import { Watermarks } from '../../src/task/watermarks';
import { type ManualClock, manualClock } from '../../src/time/manual-clock';

const DIRECT = 'topic direct';
const OTHER = 'topic other';
const THROUGH = 'internal through';

let clock: ManualClock;
let watermarks: Watermarks;
let eventTime: EventTime;
let direct: SourceWatermark;

function reached(...keys: string[]): void {
  clock = manualClock();
  const cells = new CellTable(['counts']);
  const inputs = keys.map((key) => ({ key, outOfOrderness: 0, idleAfter: 1_000, upstreamTasks: key === THROUGH ? 1 : 0 }));
  const operators = [{ store: 'counts', feeds: { inputs: keys, stores: [] }, byWatermark: true }];
  watermarks = new Watermarks({ plan: { inputs, operators, repartitions: [] }, task: 0, present: new Set(keys), cells, clock, steps: [] });
  eventTime = watermarks.clockOf('counts', cells.cell('counts', 'streamTime', -1), () => undefined)!;
  watermarks.begin();
  direct = watermarks.source(DIRECT)!;
}

async function silence(of: InputWatch, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    await clock.advance(100);
    of.answered(true, true);
  }
}

/** Event time after a record of `direct`. */
function after(timestamp: number): number {
  direct.observe(timestamp);
  watermarks.advance();
  return eventTime.value;
}

function says(through: InputWatch, watermark: number, idle: boolean): void {
  const builder = new BatchBuilder();
  builder.append(0, null, null, markerHeaders({ task: 0, watermark, idle, at: clock.now() }));
  const batch = builder.finish({ compression: 'none', transactional: false });
  stamp(batch, 1n, 0, 0);
  const reader = new BatchReader({ topic: 'through', partition: 0 });
  reader.reset(batch.bytes, { aborted: [], from: 0, readCommitted: true });
  reader.nextRecord();
  expect(through.takes(reader)).toBe(true);
}

describe('an input of a task that is idle', () => {
  it('is left out, and counts when nothing was heard of its broker though no commit was due meanwhile', async () => {
    reached(DIRECT, OTHER);
    await silence(watermarks.watch(OTHER)!, 1_500);
    expect(after(100)).toBe(100);
    // The process stands still; what the broker says of the other one comes second.
    await clock.advance(60_000);
    expect(after(50_000)).toBe(100);
  });

  it('behind a repartition is left out while its task says so', async () => {
    reached(DIRECT, THROUGH);
    const through = watermarks.watch(THROUGH)!;
    says(through, 10, true);
    through.answered(false, true);
    expect(after(100)).toBe(100);
    await clock.advance(4_000);
    says(through, 10, true);
    await clock.advance(4_000);
    expect(after(200)).toBe(200);
  });

  it('behind a repartition counts when nothing was heard of its task for some seconds', async () => {
    reached(DIRECT, THROUGH);
    const through = watermarks.watch(THROUGH)!;
    says(through, 10, true);
    through.answered(false, true);
    await silence(through, 6_000);
    expect(after(100)).toBe(10);
  });

  it('behind a repartition counts while what was undone is pushed again', () => {
    reached(DIRECT, THROUGH);
    const through = watermarks.watch(THROUGH)!;
    says(through, 10, true);
    through.answered(false, true);
    watermarks.checkpoint();
    watermarks.rollback();
    expect(after(100)).toBe(10);
  });

  it('behind a repartition counts while more of it is there to be read: what was said was before that', () => {
    reached(DIRECT, THROUGH);
    const through = watermarks.watch(THROUGH)!;
    says(through, 10, true);
    through.answered(false, false);
    expect(after(100)).toBe(10);
    through.answered(true, true);
    expect(watermarks.unsettled).toBe(true);
    expect(after(100)).toBe(100);
  });
});
