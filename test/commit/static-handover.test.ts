import { copying, input, keysOf, record } from './programs';
import { World } from './world';

const PARTITIONS = 4;
const times = { sessionTimeout: 10_000, heartbeatInterval: 500 };

it('a static member that restarts while its predecessor was to give tasks up leaves none without an owner', async () => {
  const world = new World();
  world.topics({ input: PARTITIONS, results: 1 });
  const first = world.start(copying, { name: 'one', instanceId: 'one', ...times });
  await world.until(() => first.started.length === PARTITIONS);
  world.start(copying, { name: 'two', instanceId: 'two', ...times });
  await world.until(() => world.broker.group('app')!.members.length === 2 && world.ownedBy('one').size === 2);
  // It has not joined again since.
  first.kill();
  const again = world.start(copying, { name: 'one', instanceId: 'one', ...times });
  await world.until(() => again.started.length >= 2);

  const keys = Array.from({ length: PARTITIONS }, (_, partition) => keysOf(partition, PARTITIONS)[0] as string);
  await world.write(
    input,
    keys.map((key) => record(key, 'v')),
  );
  await world.untilCommitted({ input: keys.map(() => 1) });
  expect(keys.map((_, task) => world.committed('input', task)?.offset)).toEqual(keys.map(() => 1));
  await world.end();
});
