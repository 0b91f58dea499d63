/** Where a task begins, and what it still knows then. */
import { merge, tap } from 'rxjs';
import { countWithStore, to, windowTumbling } from '../../operators';
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { OpenBytes } from '../../src/state/open-bytes';
import type { Topology } from '../../src/task/topology';
import { FakeDisk } from '../state/fake-disk';
import { copied, counting, countingWindows, input, perTenSeconds, record, records, results, windowCounts, windowResults } from './programs';
import { World } from './world';

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 1, results: 1 });
});

afterEach(() => world.end());

const values = async (): Promise<number[]> => (await world.read(results)).map(({ value }) => value);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

describe('a burst of closing windows', () => {
  it('is committed in parts: a commit may fall between any two of them, and the next instance emits the rest', async () => {
    const many = Array.from({ length: 2_000 }, (_, at) => `key${String(at)}`);
    await world.write(
      input,
      many.map((key) => record(key, 'v', 0)),
    );
    let emitted = 0;
    // Each emission takes a millisecond.
    const slow: Topology = (task) =>
      countingWindows(task).pipe(
        tap(() => {
          emitted++;
          world.pass(1);
        }),
      );
    const one = world.start(slow);
    await world.untilCommitted({ input: [2_000] });
    const opened = one.commits.length;
    await world.write(input, [record('late', 'v', 20_000)]);
    await world.until(() => one.commits.length >= opened + 2);
    one.kill();
    const parts = one.commits.slice(opened).flatMap(({ tasks }) => tasks);
    expect(parts.map(({ records: each }) => each).slice(0, 2)).toEqual([1, 0]);
    const committed = parts.reduce((sum, { outputs }) => sum + outputs, 0);
    expect(committed).toBeGreaterThan(0);
    expect(committed).toBeLessThan(2_000);
    expect(emitted).toBeGreaterThan(committed);
    // Each part carries the fence of its task, although only the first one moved a position.
    expect(world.asked('txnOffsetCommit').map(({ request }) => request.partitions.length)).not.toContain(0);
    world.start(countingWindows, { sessionTimeout: 6_000 });
    await world.until(() => world.broker.partition({ topic: 'results', partition: 0 })!.highWatermark > 2_000);
    await world.clock.advance(1_000);
    expect((await world.read(windowResults)).map(({ key }) => key.key).sort()).toEqual(many.sort());
  });
});

describe('after a restart', () => {
  it('W16: stream time is what it was: late stays late, and a closed window is not emitted twice', async () => {
    await world.write(input, [record('a', 'v', 0), record('a', 'v', 25_000)]);
    await world.toTheEnd(countingWindows);
    await world.write(input, [record('a', 'v', 1), record('a', 'v', 26_000), record('a', 'v', 40_000)]);
    const again = await world.toTheEnd(countingWindows);
    expect((await world.read(windowResults)).map(({ key, value }) => [key.start, value])).toEqual([
      [0, 1],
      [20_000, 2],
    ]);
    expect(again.total('dropped-records-total')).toBe(1);
  });

  it('W16: so it is when an input was added whose name comes first', async () => {
    world.topics({ another: 1 });
    await world.write(input, [record('a', 'v', 0), record('a', 'v', 25_000)]);
    await world.toTheEnd(countingWindows);
    const another = topic('another', { key: string, value: string });
    const elsewhere = topic('elsewhere', { key: string, value: string });
    const withAnother: Topology = ({ stream, store }) => {
      const windows = stream(input).pipe(
        windowTumbling(perTenSeconds),
        countWithStore(store(windowCounts), { emit: 'close' }),
        to(windowResults),
      );
      return merge(windows, stream(another).pipe(to(elsewhere)));
    };
    world.topics({ elsewhere: 1 });
    await world.write(input, [record('a', 'v', 1), record('a', 'v', 40_000)]);
    const again = await world.toTheEnd(withAnother);
    expect(again.total('dropped-records-total')).toBe(1);
    expect((await world.read(windowResults)).map(({ key, value }) => [key.start, value])).toEqual([
      [0, 1],
      [20_000, 1],
    ]);
  });

  it('S3: local state of an unclean stop is kept, and only the difference is read from the changelog', async () => {
    const { openBytes } = disks();
    await world.write(input, records('a', 50));
    const one = world.start(counting, { openBytes });
    await world.untilCommitted({ input: [50] });
    await world.write(input, records('a', 1, 50));
    await world.clock.advance(3_000);
    await world.write(input, records('a', 3, 51));
    await world.untilCommitted({ input: [54] });
    one.kill();
    await world.clock.advance(10_000);
    const again = world.start(counting, { openBytes, sessionTimeout: 6_000 });
    await world.write(input, records('a', 1, 54));
    await world.untilCommitted({ input: [55] });
    expect(again.total('restore-records-total')).toBeLessThan(10);
    expect(await values()).toEqual(upTo(55));
  });

  it('S14: local state that is ahead of its changelog is rebuilt, with a line in the log', async () => {
    const { openBytes } = disks();
    await world.write(input, records('a', 20));
    await world.toTheEnd(counting, { openBytes });
    const other = new World();
    other.topics({ input: 1, results: 1 });
    await other.write(input, records('a', 2));
    const one = await other.toTheEnd(counting, { openBytes });
    expect(one.lines.some(({ level, message }) => level === 'warn' && message.includes('rebuilt'))).toBe(true);
    expect((await other.read(results)).map(({ value }) => value)).toEqual([1, 2]);
    await other.end();
  });

  it('S4: a changelog that ends in markers is restored to its end', async () => {
    await world.write(input, records('a', 3));
    await world.toTheEnd(counting);
    world.fault('endTxn', { kind: 'answer', errorCode: 48 }, ({ request }) => request.commit, 3);
    await world.write(input, records('a', 1, 3));
    const one = world.start(counting);
    await world.until(() => one.total('abort-total') === 3);
    one.kill();
    await world.clock.advance(40_000);
    await world.toTheEnd(counting);
    expect(await values()).toEqual(upTo(4));
  });

  it('S1: what arrives while a store is restored is processed', async () => {
    await world.write(input, records('a', 300));
    await world.toTheEnd(counting);
    world.fault('fetch', { kind: 'delay', ms: 2_000 }, ({ lane }) => lane === 'restore');
    world.start(counting);
    await world.until(() => world.asked('fetch').some(({ lane }) => lane === 'restore'));
    await world.write(input, records('a', 5, 300));
    await world.untilCommitted({ input: [305] });
    expect(await values()).toEqual(upTo(305));
  });
});

describe('a start position', () => {
  const from = (start: 'earliest' | 'latest' | Date): Topology => {
    const source = topic('input', { key: string, value: string, from: start });
    return ({ stream }) => stream(source).pipe(to(copied));
  };
  const copies = async (): Promise<string[]> => (await world.read(copied)).map(({ value }) => value);

  it.each([
    ['earliest', 'earliest', ['v0', 'v1', 'v2', 'v3', 'v4', 'v5']],
    ['latest', 'latest', ['v4', 'v5']],
    ['a date', new Date(2), ['v2', 'v3', 'v4', 'v5']],
    ['a date beyond the end', new Date(1_000_000), ['v4', 'v5']],
  ] as const)('from %s is resolved once and committed before anything is read', async (_, start, expected) => {
    await world.write(input, records('a', 4));
    const one = world.start(from(start), { commitInterval: 60_000 });
    await world.until(() => one.started.length === 1);
    expect(world.committed('input', 0)?.offset).toBe(6 - expected.length);
    // It dies before its first commit: what has come since is not skipped by a second look at "latest".
    one.kill();
    await world.write(input, records('a', 2, 4));
    await world.clock.advance(40_000);
    world.start(from(start));
    await world.untilCommitted({ input: [6] });
    expect(await copies()).toEqual(expected);
  });

  it('K12: outside the log is moved by "from", with a line in the log, and the cells stay', async () => {
    await world.write(input, [record('a', 'v', 0), record('a', 'v', 25_000)]);
    await world.toTheEnd(countingWindows);
    await world.write(input, [record('a', 'v', 26_000), record('a', 'v', 27_000), record('a', 'v', 1), record('a', 'v', 40_000)]);
    await deleteBelow(4);
    const one = world.start(countingWindows);
    await world.untilCommitted({ input: [6] });
    const said = one.lines.find(({ level }) => level === 'error');
    expect(said?.message).toContain('topic "input", partition 0: committed position 2 is outside the log');
    // Late, although what made it late was before the restart.
    expect(one.total('dropped-records-total')).toBe(1);
    expect((await world.read(windowResults)).map(({ key, value }) => [key.start, value])).toEqual([
      [0, 1],
      [20_000, 1],
    ]);
  });

  it('committed under a generation that has passed is sent again under the next, and under none never', async () => {
    world.fault('offsetCommit', { kind: 'answer', errorCode: 22 }, undefined, 2);
    world.fault('offsetCommit', { kind: 'answer', errorCode: 27 }, undefined, 2);
    await world.write(input, records('a', 3));
    const one = world.start(counting);
    await world.untilCommitted({ input: [3] });
    expect(one.error).toBeUndefined();
    for (const { request } of world.asked('offsetCommit')) expect(request.generationId).toBeGreaterThan(0);
  });

  it('is never taken for granted while changelogs hold state: the second start is refused as the first was', async () => {
    await world.write(input, records('a', 3));
    await world.toTheEnd(counting);
    await world.clock.advance(60_000);
    world.broker.expireOffsets('app');
    for (let attempt = 0; attempt < 2; attempt++) {
      const one = world.start(counting);
      await one.ended();
      await one.close();
      expect(one.error?.code).toBe('COMMITTED_STATE_WITHOUT_OFFSETS');
    }
    expect(await values()).toEqual([1, 2, 3]);
  });

  it('K12: of two inputs outside their logs each is moved once, and what was read since is not read again', async () => {
    world.topics({ other: 1 });
    const other = topic('other', { key: string, value: string });
    const both: Topology = ({ stream }) => merge(stream(input), stream(other)).pipe(to(copied));
    await world.write(input, records('a', 4));
    await world.write(other, records('b', 4));
    await world.toTheEnd(both);
    await world.write(input, records('a', 4, 4));
    await world.write(other, records('b', 4, 4));
    await deleteBelow(6);
    await deleteBelow(6, 'other');
    const one = world.start(both);
    await world.untilCommitted({ input: [8], other: [8] });
    await world.write(input, records('a', 2, 8));
    await world.untilCommitted({ input: [10] });
    expect(one.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
    const found = (await world.read(copied)).map(({ key, value }) => key + value);
    expect(found.filter((each) => each.startsWith('a'))).toEqual(['av0', 'av1', 'av2', 'av3', 'av6', 'av7', 'av8', 'av9']);
    expect(found.filter((each) => each.startsWith('b'))).toEqual(['bv0', 'bv1', 'bv2', 'bv3', 'bv6', 'bv7']);
  });

  async function deleteBelow(offset: number, name = 'input'): Promise<void> {
    const port = world.broker.connect('admin');
    const leader = (await world.settle(port.metadata([name]))).topics[0]?.partitions[0]?.leader ?? 1;
    await world.settle(port.deleteRecords(leader, { partitions: [{ topic: name, partition: 0, offset }], timeoutMs: 1_000 }));
  }
});

/** Folders that outlive their processes. */
function disks(): { readonly openBytes: OpenBytes } {
  const folders = new Map<string, FakeDisk>();
  return {
    openBytes: (folder, options) => {
      const disk = folders.get(folder) ?? new FakeDisk();
      folders.set(folder, disk);
      return disk.open(folder, options);
    },
  };
}
