import { HEARTBEAT_MS, SESSION_MS, TestGroup } from './test-group';

let group: TestGroup;

beforeEach(() => {
  group = new TestGroup();
});

afterEach(() => {
  group.close();
});

describe('a static member (KIP-345)', () => {
  it.each(['follower', 'leader'])(
    'that is a %s and restarts within its session moves nothing: same generation, its tasks at once',
    async (role) => {
      const [first, second] = [group.join('first', { instanceId: 'a' }), group.join('second', { instanceId: 'b' })];
      await group.advance(4_000);
      const { generation } = group;
      const [gone, other, instanceId] = role === 'leader' ? [first, second, 'a'] : [second, first, 'b'];
      const { tasks } = gone.membership;
      expect(tasks).toHaveLength(2);
      gone.membership.stop();
      await group.advance(SESSION_MS / 2);
      const again = group.join('again', { instanceId });
      const before = other.told.length;
      await group.advance(100);
      expect([again.membership.tasks, again.told]).toEqual([tasks, [`assigned ${tasks.join(' ')}`]]);
      await group.advance(3 * SESSION_MS);
      expect(group.generation).toBe(generation);
      expect(other.told.slice(before)).toEqual([]);
    },
  );

  it('that leaves stays in the group until its session ends', async () => {
    const [first, second] = [group.join('first', { instanceId: 'a' }), group.join('second', { instanceId: 'b' })];
    await group.advance(4_000);
    await first.membership.leave();
    await group.advance(SESSION_MS - 2 * HEARTBEAT_MS);
    expect(second.membership.tasks).toHaveLength(2);
    await group.advance(3 * HEARTBEAT_MS);
    expect(second.membership.tasks).toEqual([0, 1, 2, 3]);
  });

  it('that leaves for good hands its tasks over at once', async () => {
    const [first, second] = [group.join('first', { instanceId: 'a' }), group.join('second', { instanceId: 'b' })];
    await group.advance(4_000);
    const leaving = first.membership.leave({ forGood: true });
    await group.advance(2 * HEARTBEAT_MS);
    await leaving;
    expect(second.membership.tasks).toEqual([0, 1, 2, 3]);
    expect(group.broker.group('app')?.members).toHaveLength(1);
  });

  it('whose session has ended joins anew under its id', async () => {
    const [first, second] = [group.join('first', { instanceId: 'a' }), group.join('second', { instanceId: 'b' })];
    await group.advance(4_000);
    const cut = group.broker.faults.add({
      match: ({ clientId }) => clientId === 'first',
      action: { kind: 'fail before' },
      times: Infinity,
    });
    await group.advance(2 * SESSION_MS);
    expect(second.membership.tasks).toEqual([0, 1, 2, 3]);
    cut.remove();
    await group.advance(SESSION_MS);
    expect(first.told).toContain('lost');
    expect([...first.membership.tasks, ...second.membership.tasks].sort()).toEqual([0, 1, 2, 3]);
    expect(first.failures).toEqual([]);
  });

  it('whose id another process takes stops, and the error names both', async () => {
    const first = group.join('first', { instanceId: 'a', nonce: '1000-0.1' });
    await group.advance(2_000);
    const second = group.join('second', { instanceId: 'a', nonce: '3000-0.2' });
    await group.advance(2 * HEARTBEAT_MS);
    expect(first.failures.map(({ code }) => code)).toEqual(['INSTANCE_DUPLICATE']);
    for (const said of ['"a"', '/127.0.0.1', '1970-01-01T00:00:01', '1970-01-01T00:00:03'])
      expect(first.failures[0]?.message).toContain(said);
    expect(second.membership.tasks).toEqual([0, 1, 2, 3]);
    await group.advance(2 * SESSION_MS);
    expect(second.failures).toEqual([]);
  });

  it('stops also when it cannot be told who has taken its id', async () => {
    const first = group.join('first', { instanceId: 'a' });
    await group.advance(2_000);
    group.broker.faults.add({ match: ({ api }) => api === 'describeGroup', action: { kind: 'hang' }, times: Infinity });
    group.join('second', { instanceId: 'a' });
    await group.advance(2 * HEARTBEAT_MS + 2_000);
    expect(first.failures.map(({ code }) => code)).toEqual(['INSTANCE_DUPLICATE']);
  });

  it('that comes back with another plan is asked for anew: tasks it does not know go to others', async () => {
    const first = group.join('first', { instanceId: 'a', taskCount: 6 });
    const second = group.join('second', { instanceId: 'b', taskCount: 6 });
    await group.advance(4_000);
    second.membership.stop();
    const again = group.join('again', { instanceId: 'b', taskCount: 4 });
    await group.advance(2 * SESSION_MS);
    expect(again.told.join(' ')).not.toMatch(/[45]/);
    expect([...first.membership.tasks, ...again.membership.tasks].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('is found again when the coordinator moves, loads or is gone for a while', async () => {
    const [first, second] = [group.join('first', { instanceId: 'a' }), group.join('second', { instanceId: 'b' })];
    await group.advance(4_000);
    const { generation } = group;
    for (const errorCode of [16, 14, 15]) {
      group.broker.faults.add({ match: ({ api }) => api === 'heartbeat', action: { kind: 'answer', errorCode }, times: 3 });
      await group.advance(2_000);
    }
    expect([group.generation, first.told.length, second.told.length]).toEqual([generation, first.told.length, second.told.length]);
    second.membership.stop();
    for (const api of ['findCoordinator', 'joinGroup', 'syncGroup'] as const) {
      for (const errorCode of [15, 14, 16])
        group.broker.faults.add({ match: (call) => call.api === api, action: { kind: 'answer', errorCode } });
    }
    const again = group.join('again', { instanceId: 'b' });
    await group.advance(4_000);
    expect(again.membership.tasks).toHaveLength(2);
    expect([group.generation, again.failures]).toEqual([generation, []]);
  });
});
