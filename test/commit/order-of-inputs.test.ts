/** Records of several inputs that meet are pushed in order of time, among what is at hand; `maxTaskIdle` says how long to wait for more. */
import { map, merge, Subject, tap } from 'rxjs';
import { countWithStore, type LateRecord, to, windowTumbling } from '../../operators';
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { Topology } from '../../src/task/topology';
import { openTransaction } from './open-transaction';
import { perTenSeconds, record, windowCounts, windowResults } from './programs';
import { type StartOptions, World } from './world';

const left = topic('left', { key: string, value: string });
const right = topic('right', { key: string, value: string });
const late = topic('late', { key: string, value: string });

let world: World;
let pushed: string[];

beforeEach(() => {
  // A leader each.
  world = new World({ brokers: 2 });
  world.topics({ left: 1, right: 1, results: 1, late: 1 });
  pushed = [];
});

afterEach(() => world.end());

/** Both inputs in the windows of one operator. */
const both: Topology = ({ stream, store }) => {
  const lates = new Subject<LateRecord<string, string>>();
  const windows = merge(stream(left), stream(right)).pipe(
    tap(({ value, timestamp }) => void pushed.push(`${value}${String(timestamp)}`)),
    windowTumbling(perTenSeconds),
    countWithStore(store(windowCounts), { emit: 'close', late: lates }),
    to(windowResults),
  );
  return merge(
    windows,
    lates.pipe(
      map((each) => each.record),
      to(late),
    ),
  );
};

const at = (value: string, ...times: number[]) => times.map((time) => record('k', value, time));

/** The next `times` fetches of a topic take `ms`. */
function slow(name: string, ms: number, times: number): void {
  world.fault('fetch', { kind: 'delay', ms }, ({ request }) => request.partitions.some(({ topic: each }) => each === name), times);
}

async function started(options: StartOptions): Promise<void> {
  const one = world.start(both, { sessionTimeout: 60_000, ...options });
  await world.until(() => one.started.length === 1);
}

describe('two inputs that meet', () => {
  it('with a backlog in both are pushed in order of time, whichever was written first', async () => {
    await world.write(left, at('l', 1_000, 4_000, 30_000));
    await world.write(right, at('r', 2_000, 3_000, 29_000));
    await world.toTheEnd(both);
    expect(pushed).toEqual(['l1000', 'r2000', 'r3000', 'l4000', 'r29000', 'l30000']);
    expect(await world.read(late)).toEqual([]);
  });

  it('wait for the one that has more, however long its broker takes (maxTaskIdle 0, the default)', async () => {
    await world.write(left, at('l', 1_000, 30_000));
    await world.write(right, at('r', 2_000, 31_000));
    slow('right', 5_000, 1);
    await started({});
    await world.clock.advance(4_000);
    expect(pushed).toEqual([]);
    await world.untilCommitted({ left: [2], right: [1] });
    expect(pushed.slice(0, 3)).toEqual(['l1000', 'r2000', 'l30000']);
  });

  it('do not wait for one that is read to its end (maxTaskIdle 0)', async () => {
    await started({});
    await world.write(left, at('l', 1_000, 30_000));
    await world.untilCommitted({ left: [2] });
    await world.write(right, at('r', 2_000));
    await world.untilCommitted({ right: [1] });
    expect(pushed).toEqual(['l1000', 'l30000', 'r2000']);
    expect((await world.read(late)).map(({ timestamp }) => timestamp)).toEqual([2_000]);
  });

  it('do not wait for one that a transaction of somebody else keeps open: it is read to its last stable offset', async () => {
    await openTransaction(world, { topic: 'right', partition: 0 });
    await started({});
    await world.write(left, at('l', 1_000, 30_000));
    await world.untilCommitted({ left: [2] });
    expect(pushed).toEqual(['l1000', 'l30000']);
  });

  it('wait `maxTaskIdle` ms longer for one that is read to its end: what comes within is in time', async () => {
    await started({ maxTaskIdle: 3_000 });
    await world.write(right, at('r', 500));
    await world.until(() => pushed.length === 1, 4_000);
    await world.write(left, at('l', 1_000, 30_000));
    await world.clock.advance(1_500);
    expect(pushed).toEqual(['r500']);
    await world.write(right, at('r', 2_000));
    await world.until(() => pushed.length === 4, 10_000);
    expect(pushed).toEqual(['r500', 'l1000', 'r2000', 'l30000']);
    expect(await world.read(late)).toEqual([]);
  });

  it('and no longer than that', async () => {
    await started({ maxTaskIdle: 3_000 });
    await world.write(left, at('l', 1_000));
    await world.clock.advance(2_500);
    expect(pushed).toEqual([]);
    await world.clock.advance(1_200);
    expect(pushed).toEqual(['l1000']);
  });

  it('never wait with maxTaskIdle -1', async () => {
    await world.write(left, at('l', 1_000, 30_000));
    await world.write(right, at('r', 2_000));
    slow('right', 5_000, 1);
    await started({ maxTaskIdle: -1 });
    await world.clock.advance(4_000);
    expect(pushed).toEqual(['l1000', 'l30000']);
    await world.untilCommitted({ right: [1] });
    expect((await world.read(late)).map(({ timestamp }) => timestamp)).toEqual([2_000]);
  });
});

it('inputs that never meet do not wait for each other', async () => {
  const apart: Topology = ({ stream, store }) =>
    merge(
      stream(left).pipe(windowTumbling(perTenSeconds), countWithStore(store(windowCounts), { emit: 'close' }), to(windowResults)),
      stream(right).pipe(to(late)),
    );
  await world.write(left, at('l', 1_000, 30_000));
  slow('right', 15_000, 1);
  world.start(apart, { sessionTimeout: 60_000, maxTaskIdle: 10_000 });
  await world.untilCommitted({ left: [2] });
  expect(world.clock.monotonic()).toBeLessThan(15_000);
});
