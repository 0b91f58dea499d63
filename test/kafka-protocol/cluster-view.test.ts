import { MillraceError } from '../../src/errors/millrace-error';
import { Simulated } from './simulated';

let world: Simulated;

beforeEach(() => {
  world = new Simulated({ view: { giveUpAfterMs: 15_000, unknownTopicAfterMs: 2_000 } });
  world.broker.createTopic('orders', 3);
  world.broker.createTopic('views', 2);
});

afterEach(() => {
  world.close();
});

const unreachable = (): Promise<never> =>
  Promise.reject(new MillraceError('BROKERS_UNREACHABLE', 'kafka-1:9092 refuses connections', { retryable: true }));

describe('topics', () => {
  it('have an id and a partition count', async () => {
    const topics = await world.settle(world.view.topics(['orders', 'views']));
    expect(topics.get('orders')).toMatchObject({
      topic: 'orders',
      partitions: 3,
      topicId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    expect(topics.get('views')).toMatchObject({ partitions: 2 });
    expect(await world.settle(world.view.clusterId())).toBe('memory');
    expect(world.view.brokerCount).toBe(1);
  });

  it('that do not exist are all named in one error', async () => {
    const before = world.clock.monotonic();
    const asked = world.settle(world.view.topics(['order', 'views', 'wievs']));
    await expect(asked).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC',
      message: expect.stringMatching(/exist on the cluster: order, wievs\./) as string,
    });
    expect(world.clock.monotonic() - before).toBeLessThan(2_500);
  });

  it('just created are waited for', async () => {
    const asked = world.view.topics(['late']);
    await world.clock.advance(1_000);
    world.broker.createTopic('late', 1);
    expect((await world.settle(asked)).get('late')).toMatchObject({ partitions: 1 });
  });

  it('with a name Kafka does not allow are refused at once', async () => {
    const { metadata } = world.port;
    world.port.metadata = async (names) => {
      const answer = await metadata.call(world.port, names);
      return { ...answer, topics: answer.topics.map((topic) => (topic.topic === 'a b' ? { ...topic, errorCode: 17 } : topic)) };
    };
    await expect(world.settle(world.view.topics(['a b']), 500)).rejects.toThrow(
      /a b \(INVALID_TOPIC_EXCEPTION \(17\): Kafka allows letters/,
    );
  });
});

describe('leaders', () => {
  it('are asked for once by any number of callers', async () => {
    const asked = Array.from({ length: 50 }, (_, i) => world.view.leaderOf(i % 2 === 0 ? 'orders' : 'views', i % 2));
    expect(await world.settle(Promise.all(asked))).toEqual(Array(50).fill(1));
    // One with the first caller's topic, one for all that came while it was under way.
    expect(world.count('metadata')).toBe(2);
    await world.view.leaderOf('views', 1);
    expect(world.count('metadata')).toBe(2);
  });

  it('are looked up again 50 to 100 ms apart while there is none', async () => {
    await world.settle(world.view.leaderOf('orders', 0));
    const { metadata } = world.port;
    const times: number[] = [];
    world.port.metadata = async (names) => {
      times.push(world.clock.monotonic());
      const answer = await metadata.call(world.port, names);
      const leaderless = (leader: number): number => (world.clock.monotonic() < 3_000 ? -1 : leader);
      return {
        ...answer,
        topics: answer.topics.map((topic) => ({
          ...topic,
          partitions: topic.partitions.map((each) => ({ ...each, leader: leaderless(each.leader) })),
        })),
      };
    };
    world.view.forgetLeader('orders', 0);
    const callers = Array.from({ length: 20 }, () => world.view.leaderOf('orders', 0));
    await world.settle(Promise.all(callers));
    const gaps = times.slice(1).map((at, i) => at - times[i]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(101);
  });

  it('are forgotten only if they still are what the caller saw', async () => {
    await world.settle(world.view.leaderOf('orders', 0));
    world.view.forgetLeader('orders', 0, 2);
    expect(world.view.knownLeader('orders', 0)).toBe(1);
    world.view.forgetLeader('orders', 0, 1);
    expect(world.view.knownLeader('orders', 0)).toBeUndefined();
    expect(world.view.knownLeader('orders', 1)).toBe(1);
  });

  it('K17: of other topics are found while one topic was deleted', async () => {
    await world.settle(world.view.topics(['orders', 'views']));
    await world.settle(world.port.deleteTopics(['orders'], 1_000));
    world.view.forgetLeader('orders', 0);
    world.view.forgetLeader('views', 0);
    const gone = world.view.leaderOf('orders', 0);
    gone.catch(() => undefined);
    expect(await world.settle(world.view.leaderOf('views', 0), 200)).toBe(1);
    await expect(world.settle(gone)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC', where: { topic: 'orders' } });
    world.view.forgetLeader('views', 1);
    expect(await world.settle(world.view.leaderOf('views', 1), 200)).toBe(1);
  });

  it('of a partition the topic does not have are an error that says how many it has', async () => {
    await expect(world.settle(world.view.leaderOf('orders', 7))).rejects.toThrow(/orders has 3 partitions/);
  });

  it('are given up after the stated time, naming the brokers and what was wanted', async () => {
    await world.settle(world.view.leaderOf('orders', 0));
    world.port.metadata = unreachable;
    world.view.forgetLeader('orders', 0);
    const before = world.clock.monotonic();
    await expect(world.settle(world.view.leaderOf('orders', 0))).rejects.toMatchObject({
      code: 'BROKERS_UNREACHABLE',
      retryable: true,
      message: expect.stringMatching(/a leader of orders-0 after 15000 ms; brokers: .*:\d+.*kafka-1:9092 refuses connections/) as string,
      where: { topic: 'orders', partition: 0 },
    });
    expect(world.clock.monotonic() - before).toBeGreaterThanOrEqual(15_000);
    expect(world.clock.monotonic() - before).toBeLessThan(15_300);
  });

  it('come back when the brokers do', async () => {
    const { metadata } = world.port;
    world.port.metadata = unreachable;
    const asked = world.view.leaderOf('orders', 0);
    await world.clock.advance(10_000);
    world.port.metadata = metadata.bind(world.port);
    expect(await world.settle(asked, 200)).toBe(1);
  });
});

describe('coordinators', () => {
  it('are looked up once, and again when forgotten', async () => {
    const asked = Array.from({ length: 10 }, () => world.view.coordinator('group', 'app'));
    expect(await world.settle(Promise.all(asked))).toEqual(Array(10).fill(1));
    expect(world.count('findCoordinator')).toBe(1);
    world.view.forgetCoordinator('group', 'app');
    await world.settle(world.view.coordinator('group', 'app'));
    expect(world.count('findCoordinator')).toBe(2);
  });

  it.each([14, 15])('answered %i are asked for again, 50 to 100 ms later', async (code) => {
    world.answer('findCoordinator', code, 5);
    expect(await world.settle(world.view.coordinator('transaction', 'app-1-0'))).toBe(1);
    expect(world.clock.monotonic()).toBeGreaterThanOrEqual(250);
    expect(world.clock.monotonic()).toBeLessThan(600);
  });

  it('that may not be known are an error at once', async () => {
    world.answer('findCoordinator', 30, Infinity);
    await expect(world.settle(world.view.coordinator('group', 'app'), 500)).rejects.toMatchObject({
      code: 'BROKER_ERROR',
      message: expect.stringContaining('group "app"') as string,
    });
  });

  it('are given up after the stated time, and not remembered as missing', async () => {
    const missing = world.broker.faults.add({
      match: ({ api }) => api === 'findCoordinator',
      action: { kind: 'fail before' },
      times: Infinity,
    });
    await expect(world.settle(world.view.coordinator('group', 'app'))).rejects.toMatchObject({ code: 'BROKERS_UNREACHABLE' });
    expect(world.clock.monotonic()).toBeLessThan(15_300);
    missing.remove();
    expect(await world.settle(world.view.coordinator('group', 'app'))).toBe(1);
  });
});
