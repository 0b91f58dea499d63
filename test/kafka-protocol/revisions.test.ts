/** Members of several releases in one group: a rolling deploy of this package. */
import { HEARTBEAT_MS, SESSION_MS, TestGroup, type TestMember } from './test-group';

let group: TestGroup;

beforeEach(() => {
  group = new TestGroup();
});

afterEach(() => {
  group.close();
});

const owned = (...members: TestMember[]): number[] => members.flatMap(({ membership }) => membership.tasks).sort();

describe.each([1, 2] as const)('members of revision %i among newer ones', (revision) => {
  it.each(['the older one leads', 'the newer one leads'])('share the tasks, come and go: %s', async (who) => {
    const first = who === 'the older one leads' ? group.join('old', { revision }) : group.join('new');
    await group.advance(2_000);
    const second = who === 'the older one leads' ? group.join('new') : group.join('old', { revision });
    await group.advance(4_000);
    expect(owned(first, second)).toEqual([0, 1, 2, 3]);
    expect([first.membership.tasks.length, second.membership.tasks.length]).toEqual([2, 2]);
    const third = group.join('newer');
    await group.advance(4_000);
    expect(owned(first, second, third)).toEqual([0, 1, 2, 3]);
    const leaving = first.membership.leave();
    await group.advance(4_000);
    await leaving;
    expect(owned(second, third)).toEqual([0, 1, 2, 3]);
    expect([first, second, third].flatMap(({ failures }) => failures)).toEqual([]);
  });

  it('do not keep newer ones from stopping: who asked stops in any case', async () => {
    const old = group.join('old', { revision });
    await group.advance(2_000);
    const asking = group.join('asking');
    await group.advance(4_000);
    asking.membership.stopAll('enough');
    await group.advance(SESSION_MS + HEARTBEAT_MS);
    expect(asking.told.filter((each) => each.startsWith('stop'))).toHaveLength(1);
    expect(old.failures).toEqual([]);
  });

  it('that lead: a restarted static member takes its place all the same', async () => {
    const old = group.join('old', { revision, instanceId: 'a' });
    await group.advance(2_000);
    const gone = group.join('gone', { instanceId: 'b' });
    await group.advance(4_000);
    const { tasks } = gone.membership;
    gone.membership.stop();
    const again = group.join('again', { instanceId: 'b' });
    await group.advance(2_000);
    expect([again.membership.tasks, old.failures, again.failures]).toEqual([tasks, [], []]);
  });
});
