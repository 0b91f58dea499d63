import { mapValues, to } from '../../operators';
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import type { Topology } from '../../src/task/topology';
import { World } from './world';

const views = topic('views', { key: string, value: string });
const seen = topic('seen', { key: string, value: string });
const topology: Topology = ({ stream }) =>
  stream(views).pipe(
    mapValues((value) => value),
    to(seen),
  );
const times = { sessionTimeout: 10_000, heartbeatInterval: 500 };

it('a static member that restarts while its predecessor was to give tasks up leaves none without an owner', async () => {
  const world = new World();
  world.topics({ views: 4, seen: 1 });
  const first = world.start(topology, { name: 'one', instanceId: 'one', ...times });
  await world.until(() => first.started.length === 4);
  world.start(topology, { name: 'two', instanceId: 'two', ...times });
  await world.until(() => world.broker.group('app')!.members.length === 2 && world.ownedBy('one').size === 2);
  // It has not joined again since.
  first.kill();
  const again = world.start(topology, { name: 'one', instanceId: 'one', ...times });
  await world.until(() => again.started.length >= 2);

  await world.write(
    views,
    Array.from({ length: 40 }, (_, at) => KafkaRecord.of(`key${at}`, 'x', at, noOrigin)),
  );
  const committed = (): number => [0, 1, 2, 3].reduce((sum, task) => sum + (world.committed('views', task)?.offset ?? 0), 0);
  await world.until(() => committed() === 40, 60_000);
  expect(committed()).toBe(40);
  await world.end();
});
