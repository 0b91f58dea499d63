import { ClusterView } from '../../src/kafka/cluster-view';
import type { HeldTask } from '../../src/kafka/held-tasks';
import { Membership } from '../../src/kafka/membership';
import type { MillraceError } from '../../src/errors/millrace-error';
import { memoryBroker, type MemoryBroker } from '../../src/memory/memory-broker';
import { silentLogger } from '../../src/model/logger';
import { manualClock, type ManualClock } from '../../src/time/manual-clock';

const GROUP = 'app';
const HEARTBEAT_MS = 500;
const SESSION_MS = 6_000;

interface TestMember {
  readonly membership: Membership;
  /** What it was told, in order. */
  readonly told: string[];
  readonly drained: { release: () => void };
  readonly failures: MillraceError[];
}

describe('a member of the group', () => {
  let clock: ManualClock;
  let broker: MemoryBroker;

  beforeEach(() => {
    clock = manualClock();
    broker = memoryBroker({ clock });
    broker.createTopic('input', 4);
  });

  afterEach(() => {
    broker.close();
  });

  function join(
    name: string,
    options: {
      readonly slowDrain?: boolean;
      readonly instanceId?: string;
      readonly instance?: string;
      readonly held?: readonly HeldTask[];
      readonly standbyReplicas?: number;
    } = {},
  ): TestMember {
    const port = broker.connect(name);
    const told: string[] = [];
    const failures: MillraceError[] = [];
    const drained = { release: (): void => undefined };
    const membership = new Membership({
      port,
      view: new ClusterView({ port, clock, logger: silentLogger }),
      clock,
      logger: silentLogger,
      groupId: GROUP,
      groupInstanceId: options.instanceId ?? null,
      instance: options.instance ?? name,
      nonce: name,
      transactionalId: `${GROUP}-${name}-0`,
      topics: ['input'],
      taskCount: 4,
      partitionsOf: (task) => [{ topic: 'input', partition: task }],
      sessionTimeoutMs: SESSION_MS,
      heartbeatIntervalMs: HEARTBEAT_MS,
      rebalanceTimeoutMs: 10_000,
      held: () => options.held ?? [],
      plan: '',
      standbyReplicas: options.standbyReplicas ?? 0,
      acceptableLag: 100,
      maxWarmups: 2,
      probingIntervalMs: 60_000,
      events: {
        joined: () => undefined,
        assigned: (tasks) => told.push(`assigned ${tasks.join(' ')}`),
        revoked: (tasks) => {
          told.push(`revoked ${tasks.join(' ')}`);
          if (options.slowDrain !== true) return Promise.resolve();
          return new Promise((resolve) => {
            drained.release = resolve;
          });
        },
        followed: ({ standby, warmup }) => {
          if (standby.length + warmup.length > 0) told.push(`follow ${standby.join(' ')}|${warmup.join(' ')}`);
        },
        lost: () => told.push('lost'),
        stopAll: (reason) => told.push(`stop: ${reason.message}`),
        failed: (reason) => failures.push(reason),
      },
    });
    membership.start();
    return { membership, told, drained, failures };
  }

  it('alone gets every task', async () => {
    const a = join('a');
    await clock.advance(1_000);
    expect(a.told).toEqual(['assigned 0 1 2 3']);
    expect(a.membership.identity().generationId).toBeGreaterThan(0);
  });

  it('gives up half when a second one comes, and keeps the rest without interruption', async () => {
    const a = join('a');
    await clock.advance(1_000);
    const b = join('b');
    await clock.advance(3_000);
    expect(a.told).toEqual(['assigned 0 1 2 3', 'revoked 2 3']);
    expect(b.told).toEqual(['assigned 2 3']);
  });

  it('does not let a task go to another member before its drain has settled, and keeps its heartbeat meanwhile', async () => {
    const a = join('a', { slowDrain: true });
    await clock.advance(1_000);
    const b = join('b');
    await clock.advance(2 * SESSION_MS);
    expect(b.told).toEqual([]);
    a.drained.release();
    await clock.advance(3_000);
    expect(a.told).toEqual(['assigned 0 1 2 3', 'revoked 2 3']);
    expect(b.told).toEqual(['assigned 2 3']);
  });

  it('hands its tasks to the others when it leaves', async () => {
    const a = join('a');
    await clock.advance(1_000);
    const b = join('b');
    await clock.advance(3_000);
    const leaving = a.membership.leave();
    await clock.advance(3_000);
    await leaving;
    expect(b.told).toEqual(['assigned 2 3', 'assigned 0 1']);
  });

  it('R10: told unknown (25), it says lost and joins anew', async () => {
    const a = join('a');
    await clock.advance(1_000);
    broker.faults.add({ match: ({ api }) => api === 'heartbeat', action: { kind: 'answer', errorCode: 25 }, times: 1 });
    await clock.advance(3 * SESSION_MS);
    expect(a.told).toEqual(['assigned 0 1 2 3', 'lost', 'assigned 0 1 2 3']);
  });

  it('has no valid identity between being lost and having joined anew', async () => {
    const a = join('a');
    await clock.advance(1_000);
    broker.faults.add({ match: ({ api }) => api === 'heartbeat', action: { kind: 'answer', errorCode: 22 }, times: 1 });
    broker.faults.add({ match: ({ api }) => api === 'joinGroup', action: { kind: 'hang' }, times: 1 });
    await clock.advance(HEARTBEAT_MS * 2);
    expect(a.told).toEqual(['assigned 0 1 2 3', 'lost']);
    expect(a.membership.identity().generationId).toBe(-1);
  });

  it('survives ten heartbeats in a row that are never answered within one session', async () => {
    const a = join('a');
    await clock.advance(1_000);
    broker.faults.add({ match: ({ api }) => api === 'heartbeat', action: { kind: 'fail before' }, times: 10 });
    await clock.advance(10 * HEARTBEAT_MS + 2_000);
    expect(a.told).toEqual(['assigned 0 1 2 3']);
  });

  it('a static member that stops without leaving and comes back within the session moves nothing', async () => {
    const a = join('a', { instanceId: 'one' });
    const b = join('b', { instanceId: 'two' });
    await clock.advance(4_000);
    const generation = b.membership.identity().generationId;
    const { tasks } = a.membership;
    await a.membership.leave();
    const again = join('a2', { instanceId: 'one' });
    await clock.advance(2_000);
    expect(b.membership.identity().generationId).toBe(generation);
    expect(again.membership.tasks).toEqual(tasks);
  });

  it('that starts over gives up everything at once and gets it again by another join', async () => {
    const a = join('a');
    await clock.advance(1_000);
    const { generationId } = a.membership.identity();
    a.membership.startOver();
    expect(a.membership.tasks).toEqual([]);
    await clock.advance(1_000);
    expect(a.told).toEqual(['assigned 0 1 2 3', 'assigned 0 1 2 3']);
    expect(a.membership.identity().generationId).toBeGreaterThan(generationId);
  });

  it('R11: members joining and leaving for a minute never leave a task with two owners, and in the end all are owned', async () => {
    const members: TestMember[] = [];
    for (let second = 0; second < 60; second++) {
      if (second % 2 === 0) members.push(join(`m${String(second)}`));
      if (second % 3 === 1) void members.shift()?.membership.leave();
      await clock.advance(1_000);
      const owned = members.flatMap(({ membership }) => membership.tasks);
      expect(new Set(owned).size).toBe(owned.length);
    }
    await clock.advance(2 * SESSION_MS);
    expect(members.flatMap(({ membership }) => membership.tasks).sort()).toEqual([0, 1, 2, 3]);
  });

  it('gets nothing while another process under the same instance id works, and everything once that one is gone', async () => {
    const a = join('a', { instance: 'one' });
    await clock.advance(1_000);
    const twin = join('twin', { instance: 'one' });
    await clock.advance(3_000);
    expect([a.told, twin.told]).toEqual([['assigned 0 1 2 3'], []]);
    a.membership.stop();
    await clock.advance(2 * SESSION_MS);
    expect(twin.told).toEqual(['assigned 0 1 2 3']);
  });

  describe('with standbys and warm-ups', () => {
    const holding = (position: number, following = false): HeldTask[] => [0, 1, 2, 3].map((task) => ({ task, position, following }));

    it('is told at every join which tasks to follow, after what it was assigned', async () => {
      const a = join('a', { standbyReplicas: 1 });
      const b = join('b', { standbyReplicas: 1 });
      await clock.advance(4_000);
      expect(a.told.at(-1)).toBe('follow 2 3|');
      expect(b.told.at(-1)).toBe('follow 0 1|');
      expect(b.told.indexOf('assigned 2 3')).toBeLessThan(b.told.indexOf('follow 0 1|'));
    });

    it('that lags follows first, while the tasks stay where they are; joins again by itself, and gets them when it says it is near', async () => {
      const a = join('a', { held: holding(1_000) });
      await clock.advance(1_000);
      const held = holding(0);
      const b = join('b', { held });
      await clock.advance(3_000);
      expect([a.told, b.told]).toEqual([['assigned 0 1 2 3'], ['follow |2 3']]);
      held.splice(0, 4, ...holding(950, true));
      await clock.advance(50_000);
      expect(b.membership.tasks).toEqual([]);
      await clock.advance(20_000);
      expect(b.membership.tasks).toEqual([2, 3]);
      expect(a.told).toContain('revoked 2 3');
    });

    it('joins again at once when it is told that a warm-up is near', async () => {
      join('a', { held: holding(1_000) });
      await clock.advance(1_000);
      const held = holding(0);
      const b = join('b', { held });
      await clock.advance(3_000);
      held.splice(0, 4, ...holding(950, true));
      b.membership.joinAnew();
      await clock.advance(3_000);
      expect(b.membership.tasks).toEqual([2, 3]);
    });
  });

  it('says which option is wrong when another kind of program is in the group', async () => {
    broker.faults.add({ match: ({ api }) => api === 'joinGroup', action: { kind: 'answer', errorCode: 23 }, times: 1 });
    const a = join('a');
    await clock.advance(1_000);
    expect(a.failures.map(({ code }) => code)).toEqual(['CONFIG']);
    expect(a.failures[0]?.message).toContain('applicationId');
  });
});
