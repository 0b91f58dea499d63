import { ClusterView } from '../../src/kafka/cluster-view';
import { OffsetReader } from '../../src/kafka/offsets';
import { silentLogger } from '../../src/model/logger';
import { MovingLeaders } from './moving-leaders';
import { fenceOf, GROUP, offset, Simulated } from './simulated';
import { LogWriter } from './written-log';

let world: Simulated;
let offsets: OffsetReader;

beforeEach(() => {
  world = new Simulated();
  world.broker.createTopic('input', 2);
  offsets = new OffsetReader(world);
});

afterEach(() => {
  world.close();
});

const both = [0, 1].map((partition) => ({ topic: 'input', partition }));

describe('committed offsets', () => {
  it('are the next ones to read, with their metadata; -1 where there is none', async () => {
    const producer = await world.initialised();
    const fence = fenceOf(await world.join());
    await world.settle(producer.commit({ batches: [], offsets: [offset(1, 5, 'cells')], fence }));
    expect(await world.settle(offsets.committedOffsets(GROUP, both))).toEqual([
      { topic: 'input', partition: 0, offset: -1, metadata: '' },
      { topic: 'input', partition: 1, offset: 5, metadata: 'cells' },
    ]);
  });

  it('after EndTxn = 0 are those of the transaction, also while its markers are on their way', async () => {
    world.close();
    world = new Simulated({ markerDelayMs: 500 });
    world.broker.createTopic('input', 1);
    offsets = new OffsetReader(world);
    const producer = await world.initialised();
    const fence = fenceOf(await world.join());
    for (let next = 1; next < 10; next++) {
      expect(await world.commit(producer, fence, next)).toMatchObject({ kind: 'committed' });
      expect(await world.settle(offsets.committedOffsets(GROUP, [both[0]!]))).toMatchObject([{ offset: next }]);
    }
    // 88 in between: asked more than once each time.
    expect(world.count('offsetFetch')).toBeGreaterThan(18);
  });

  it.each([14, 15, 16])('answered %i are asked for again', async (code) => {
    world.answer('offsetFetch', code, 3);
    expect(await world.settle(offsets.committedOffsets(GROUP, both))).toHaveLength(2);
  });

  it('that stay unstable are given up in time, saying what was waited for', async () => {
    world.answer('offsetFetch', 88, Infinity);
    await expect(world.settle(offsets.committedOffsets(GROUP, both))).rejects.toThrow(
      /committed offsets of group app for input-0, input-1 after 90000 ms\. The last answer was: UNSTABLE_OFFSET_COMMIT \(88\)/,
    );
  });

  it('that may not be known are an error at once', async () => {
    world.answer('offsetFetch', 30, Infinity);
    await expect(world.settle(offsets.committedOffsets(GROUP, both), 1_000)).rejects.toMatchObject({ code: 'BROKER_ERROR' });
  });
});

describe('offsets of the log', () => {
  it('end at the last stable offset for committed reading, at the high watermark otherwise', async () => {
    const writer = new LogWriter(world, 'writer');
    await writer.committed('input', 0, 'a');
    await writer.write('input', 0, 'open');
    expect(await world.settle(offsets.endOffsets(both, true))).toEqual([
      { ...both[0], offset: 2 },
      { ...both[1], offset: 0 },
    ]);
    expect(await world.settle(offsets.endOffsets(both, false))).toEqual([
      { ...both[0], offset: 3 },
      { ...both[1], offset: 0 },
    ]);
  });

  it('begin where records were not yet deleted', async () => {
    const writer = new LogWriter(world, 'writer');
    await writer.committed('input', 1, 'a', 'b', 'c');
    await world.settle(world.port.deleteRecords(1, { partitions: [{ topic: 'input', partition: 1, offset: 2 }], timeoutMs: 1_000 }));
    expect(await world.settle(offsets.startOffsets(both))).toEqual([
      { ...both[0], offset: 0 },
      { ...both[1], offset: 2 },
    ]);
  });

  it('for a time are those of the first record at or after it, -1 for none', async () => {
    const writer = new LogWriter(world, 'writer');
    await writer.committed('input', 0, 'a');
    const at = (timestamp: number): { topic: string; partition: number; timestamp: number }[] => [{ ...both[0]!, timestamp }];
    expect(await world.settle(offsets.offsetsForTime(at(1_000)))).toMatchObject([{ offset: 0 }]);
    expect(await world.settle(offsets.offsetsForTime(at(Date.UTC(2100, 0))))).toMatchObject([{ offset: -1 }]);
  });

  it.each([5, 6, 78])('answered %i are asked for again, and only those', async (code) => {
    world.answer('listOffsets', code, 2);
    expect(await world.settle(offsets.endOffsets(both, true))).toHaveLength(2);
  });

  it('of leaders that moved are found at the new ones', async () => {
    const cluster = new MovingLeaders(world.port);
    const { port } = cluster;
    const view = new ClusterView({ port, clock: world.clock, logger: silentLogger });
    offsets = new OffsetReader({ port, view, clock: world.clock });
    await world.settle(offsets.endOffsets(both, true));
    cluster.move('input', 1, 3);
    expect(await world.settle(offsets.endOffsets(both, true))).toHaveLength(2);
    expect(view.knownLeader('input', 1)).toBe(3);
    cluster.dead.add(3);
    cluster.move('input', 1, 2, 'lags');
    world.clock.setTimer(9_000, () => cluster.show());
    expect(await world.settle(offsets.endOffsets(both, true))).toHaveLength(2);
  });

  it('of a topic that does not exist are an error that names it', async () => {
    await expect(world.settle(offsets.endOffsets([{ topic: 'nowhere', partition: 0 }], true))).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC',
    });
  });
});
