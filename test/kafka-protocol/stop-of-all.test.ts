import { HEARTBEAT_MS, SESSION_MS, TestGroup, type TestMember } from './test-group';

let group: TestGroup;

beforeEach(() => {
  group = new TestGroup();
});

afterEach(() => {
  group.close();
});

const stops = ({ told }: TestMember): string[] => told.filter((each) => each.startsWith('stop'));

async function three(): Promise<[TestMember, TestMember, TestMember]> {
  const members: [TestMember, TestMember, TestMember] = [group.join('a'), group.join('b'), group.join('c')];
  await group.advance(5_000);
  expect(members.flatMap(({ membership }) => membership.tasks).sort()).toEqual([0, 1, 2, 3]);
  return members;
}

describe('a stop of the whole application', () => {
  it.each([0, 1, 2])('asked for by member %i, it reaches every member within two heartbeats, once, with the reason', async (asking) => {
    const members = await three();
    members[asking]?.membership.stopAll('a worker crashed');
    await group.advance(2 * HEARTBEAT_MS);
    for (const member of members) {
      expect(stops(member)).toHaveLength(1);
      expect(stops(member)[0]).toContain('a worker crashed');
    }
    await group.advance(3 * SESSION_MS);
    expect(members.map((member) => stops(member).length)).toEqual([1, 1, 1]);
  });

  it('gives nobody who stops the tasks of those that have left already', async () => {
    const [a, b, c] = await three();
    const had = c.membership.tasks;
    a.membership.stopAll('enough');
    await group.advance(2 * HEARTBEAT_MS);
    const leaving = [a, b].map(({ membership }) => membership.leave());
    await group.advance(5_000);
    await Promise.all(leaving);
    expect(c.membership.tasks).toEqual(had);
  });

  it('reaches a member that could not follow when it was said', async () => {
    const [a, b, c] = await three();
    const cut = group.broker.faults.add({ match: ({ clientId }) => clientId === 'c', action: { kind: 'fail before' }, times: Infinity });
    a.membership.stopAll('enough');
    await group.advance(SESSION_MS / 2);
    cut.remove();
    await group.advance(2 * SESSION_MS);
    expect([a, b, c].map((member) => stops(member).length)).toEqual([1, 1, 1]);
  });

  it('does not stop who joins afterwards, though the others are still there', async () => {
    const [a] = await three();
    a.membership.stopAll('enough');
    await group.advance(2 * HEARTBEAT_MS);
    const next = group.join('next');
    await group.advance(5_000);
    expect(stops(next)).toEqual([]);
    const last = group.join('last');
    await group.advance(5_000);
    expect(stops(last)).toEqual([]);
  });

  it('does not stop a static member that was restarted, though its predecessor was told to', async () => {
    const [a, b] = [group.join('a', { instanceId: 'a' }), group.join('b', { instanceId: 'b' })];
    await group.advance(4_000);
    a.membership.stopAll('enough');
    await group.advance(2 * HEARTBEAT_MS);
    expect([stops(a).length, stops(b).length]).toEqual([1, 1]);
    for (const { membership } of [a, b]) await membership.leave();
    const again = [group.join('a2', { instanceId: 'a' }), group.join('b2', { instanceId: 'b' })];
    await group.advance(3 * SESSION_MS);
    expect(again.map(stops)).toEqual([[], []]);
    expect(again.flatMap(({ membership }) => membership.tasks).sort()).toEqual([0, 1, 2, 3]);
  });

  it('stops the member that asked for it when the group cannot be joined within a session', async () => {
    const [a] = await three();
    group.broker.faults.add({ match: ({ api }) => api === 'joinGroup', action: { kind: 'hang' }, times: Infinity });
    a.membership.stopAll('enough');
    await group.advance(SESSION_MS);
    expect(stops(a)).toHaveLength(1);
  });
});
