/** Where a group begins is committed once; whatever becomes of that request, no task goes back there. */
import type { FaultAction } from '../../src/memory/faults';
import { counting, input, records, results } from './programs';
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
