/** Where a group begins is committed once; whatever becomes of that request, no task goes back there. */
import { mapValues, to } from '../../operators';
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { FaultAction } from '../../src/memory/faults';
import type { Topology } from '../../src/task/topology';
import { copied, counting, input, record, records, results } from './programs';
import { World } from './world';

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 1, results: 1 });
});

afterEach(() => world.end());

const struck: readonly FaultAction[] = [
  { kind: 'duplicate later', afterMs: 1_500 },
  { kind: 'hang', executeAfterMs: 40_000 },
  { kind: 'lose answer' },
];

describe('the commit of start positions', () => {
  it.each(struck)('is refused when it is executed after its retry: the task does not go back (%j)', async (action) => {
    world.fault('offsetCommit', action);
    await world.write(input, records('a', 3));
    const one = world.start(counting, { sessionTimeout: 6_000, heartbeatInterval: 500 });
    await world.untilCommitted({ input: [3] });
    await world.clock.advance(45_000);
    expect(world.committed('input', 0)?.offset).toBe(3);
    one.kill();
    world.start(counting, { name: 'two' });
    await world.write(input, records('a', 1, 3));
    await world.untilCommitted({ input: [4] });
    expect((await world.read(results)).map(({ value }) => value)).toEqual([1, 2, 3, 4]);
  });

  it('that was not answered joins the group once more, and no task is interrupted', async () => {
    world.fault('offsetCommit', { kind: 'fail before' });
    await world.write(input, records('a', 3));
    const one = world.start(counting, { sessionTimeout: 6_000, heartbeatInterval: 500 });
    await world.untilCommitted({ input: [3] });
    expect(one.started).toEqual([0]);
    expect(world.broker.group('app')?.generationId).toBe(2);
  });
});

describe('a group that begins at a time', () => {
  it('reads what is written while it asks where that is', async () => {
    const since = topic('input', { key: string, value: string, from: new Date(1_000) });
    const copyingSince: Topology = ({ stream }) =>
      stream(since).pipe(
        mapValues((value) => value),
        to(copied),
      );
    const asked = world.fault('listOffsets', { kind: 'delay', ms: 2_000 }, ({ request }) => request.partitions[0]?.timestamp === -1);
    world.start(copyingSince);
    await world.until(() => asked.hits === 1);
    await world.write(input, [record('a', 'new', 5_000)]);
    await world.untilCommitted({ input: [1] });
    expect((await world.read(copied)).map(({ value }) => value)).toEqual(['new']);
  });
});

describe('a task that another has worked on since its offsets were read', () => {
  it('is no state without offsets: it begins anew', async () => {
    const slow = world.fault('listOffsets', { kind: 'delay', ms: 9_000 }, ({ clientId }) => clientId === 'one', 20);
    const one = world.start(counting, { name: 'one', sessionTimeout: 6_000, heartbeatInterval: 500 });
    await world.until(() => slow.hits > 0);
    // Counted out of the group, and does not know it yet.
    world.fault('heartbeat', { kind: 'hang' }, ({ clientId }) => clientId === 'one', 1);
    await world.write(input, records('a', 3));
    world.start(counting, { name: 'two', sessionTimeout: 6_000, heartbeatInterval: 500 });
    await world.untilCommitted({ input: [3] });
    slow.remove();
    await world.clock.advance(60_000);
    expect(one.error).toBeUndefined();
    expect((await world.read(results)).map(({ value }) => value)).toEqual([1, 2, 3]);
  });
});
