import { InternalTopics } from '../../src/kafka/internal-topics';
import { silentLogger } from '../../src/model/logger';
import { Simulated } from './simulated';
import { LogWriter } from './written-log';

let world: Simulated;
let topics: InternalTopics;

beforeEach(() => {
  world = new Simulated();
  topics = new InternalTopics({ ...world, logger: silentLogger });
});

afterEach(() => {
  world.close();
});

const changelog = { topic: 'app-counts-changelog', kind: 'changelog', partitions: 4 } as const;
const repartition = { topic: 'app-by-page-repartition', kind: 'repartition', partitions: 2 } as const;

it('are created with configs under which nothing is lost, and have leaders when this settles', async () => {
  const made = await world.settle(topics.ensure([changelog, repartition]));
  expect([...made.values()].map(({ partitions }) => partitions)).toEqual([4, 2]);
  for (const { topic, partitions } of [changelog, repartition]) {
    for (let p = 0; p < partitions; p++) expect(world.view.knownLeader(topic, p)).toBe(1);
  }
  const timestamps = ['message.timestamp.type', 'message.timestamp.before.max.ms', 'message.timestamp.after.max.ms'];
  const names = ['cleanup.policy', 'retention.ms', 'delete.retention.ms', 'segment.bytes', ...timestamps];
  const { topics: described } = await world.settle(world.port.describeConfigs([changelog.topic, repartition.topic], names));
  const configs = new Map(described.map((each) => [each.topic, Object.fromEntries(each.configs)]));
  expect(configs.get(changelog.topic)).toMatchObject({
    'cleanup.policy': 'compact',
    'delete.retention.ms': String(7 * 24 * 3_600_000),
  });
  // Event times of any kind, whatever the broker's own limits are.
  const forEver = '9223372036854775807';
  for (const found of configs.values()) expect(timestamps.map((name) => found[name])).toEqual(['CreateTime', forEver, forEver]);
  expect(configs.get(repartition.topic)).toMatchObject({
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
    'segment.bytes': String(50 * 1024 * 1024),
  });
});

it('that exist already are left as they are', async () => {
  await world.settle(topics.ensure([changelog]));
  const made = await world.settle(new InternalTopics({ ...world, logger: silentLogger }).ensure([changelog, repartition]));
  expect(made.size).toBe(2);
});

it('whose answer was lost are created once', async () => {
  world.loseAnswer('createTopics');
  expect((await world.settle(topics.ensure([changelog]))).get(changelog.topic)).toMatchObject({ partitions: 4 });
});

it('answered NOT_CONTROLLER are asked for again', async () => {
  world.answer('createTopics', 41, 3);
  await world.settle(topics.ensure([repartition]));
  expect(world.broker.topics()).toContain(repartition.topic);
});

it('with another partition count are an error that names both counts and what to do', async () => {
  world.broker.createTopic(changelog.topic, 8, { 'cleanup.policy': 'compact' });
  await expect(world.settle(topics.ensure([changelog]))).rejects.toMatchObject({
    code: 'CO_PARTITION',
    where: { topic: changelog.topic },
    message: expect.stringMatching(/has 8 partitions, but 4 are needed.*Delete it after a reset/) as string,
  });
});

it('with a cleanup policy that loses state are an error that names it', async () => {
  world.broker.createTopic(changelog.topic, 4, { 'cleanup.policy': 'delete' });
  await expect(world.settle(topics.ensure([changelog]))).rejects.toMatchObject({
    code: 'CONFIG',
    message: expect.stringContaining('cleanup.policy=delete, but needs compact') as string,
  });
});

it('that the broker refuses are an error with its reason', async () => {
  await expect(world.settle(topics.ensure([{ ...changelog, configs: { 'no.such.config': '1' } }]))).rejects.toMatchObject({
    code: 'BROKER_ERROR',
    message: expect.stringContaining(changelog.topic) as string,
  });
});

describe('purging', () => {
  const partition = { topic: repartition.topic, partition: 0 };

  beforeEach(async () => {
    await world.settle(topics.ensure([repartition]));
    await new LogWriter(world, 'writer').committed(partition.topic, 0, 'a', 'b', 'c');
  });

  it('removes what lies below committed offsets', async () => {
    await world.settle(topics.purge([{ ...partition, offset: 2 }]));
    expect(world.broker.partition(partition)).toMatchObject({ logStartOffset: 2, highWatermark: 4 });
  });

  it('that fails is left for the next time', async () => {
    for (const code of [6, 7, 29]) {
      world.answer('deleteRecords', code);
      await world.settle(topics.purge([{ ...partition, offset: 2 }]));
    }
    world.broker.faults.add({ match: ({ api }) => api === 'deleteRecords', action: { kind: 'fail before' } });
    await world.settle(topics.purge([{ ...partition, offset: 2 }]));
    expect(world.broker.partition(partition)).toMatchObject({ logStartOffset: 0 });
    await world.settle(topics.purge([{ ...partition, offset: 3 }]));
    expect(world.broker.partition(partition)).toMatchObject({ logStartOffset: 3 });
  });
});
