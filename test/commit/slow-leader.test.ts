import { copying, input, record } from './programs';
import { World } from './world';

const some = Array.from({ length: 40 }, (_, at) => record(`key${at}`, 'v', at));
const times = { sessionTimeout: 30_000, heartbeatInterval: 500 };

it('tasks that stay go on committing while the leader of a join takes long to say who gets what', async () => {
  const world = new World();
  world.topics({ input: 4, results: 1 });
  world.start(copying, { name: 'one', ...times });
  world.start(copying, { name: 'two', ...times });
  await world.until(() => world.ownedBy('one').size === 2 && world.ownedBy('two').size === 2);
  const asked = world.asked('syncGroup').length;
  world.fault('syncGroup', { kind: 'delay', ms: 10_000 }, ({ request }) => request.assignments.length > 0);
  // What is under way as the join is completed comes under a generation that is over.
  world.fault('txnOffsetCommit', { kind: 'delay', ms: 1_000 }, () => true, 2);
  world.start(copying, { name: 'three', ...times });
  let written = 0;
  const write = async (): Promise<void> => {
    await world.write(input, some);
    written += 40;
  };
  const committed = (): number => [0, 1, 2, 3].reduce((sum, task) => sum + (world.committed('input', task)?.offset ?? 0), 0);
  const began = world.clock.monotonic();
  while (world.asked('syncGroup').length < asked + 3) {
    await write();
    await world.clock.advance(20);
  }
  const joined = world.clock.monotonic();
  await write();
  await world.until(() => committed() === written);
  expect(joined - began).toBeLessThan(3_000);
  expect(world.clock.monotonic() - joined).toBeLessThan(1_000);
  await world.end();
});

it('a transaction under way as a join is completed is committed under the new generation, also with tasks that are to be given up', async () => {
  const world = new World();
  world.topics({ input: 4, results: 1 });
  const one = world.start(copying, { name: 'one', ...times });
  await world.until(() => one.started.length === 4);
  const held = world.fault('txnOffsetCommit', { kind: 'delay', ms: 1_000 });
  const two = world.start(copying, { name: 'two', ...times });
  await world.write(input, some);
  await world.until(() => two.started.length === 2, 20_000);
  expect(held.hits).toBe(1);
  expect(one.total('abort-total')).toBe(0);
  expect(one.started.length).toBe(4);
  await world.end();
});
