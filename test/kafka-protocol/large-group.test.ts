import { TestGroup } from './test-group';

let group: TestGroup;

beforeEach(() => {
  group = new TestGroup();
});

afterEach(() => {
  group.close();
});

describe('claims and orders of a group, which the broker keeps in one record', () => {
  it('are warned of with their size before they are too large', async () => {
    const a = group.join('a', { plan: 'p'.repeat(380_000) });
    await group.advance(1_000);
    expect([a.membership.tasks, a.failures]).toEqual([[0, 1, 2, 3], []]);
    const warning = a.warnings.find((each) => each.includes('bytes'));
    expect(warning).toMatch(/have 7\d{5} bytes/);
    expect(warning).toContain('max.message.bytes');
  });

  it('that are too large end the leader, with the size; the others go on if they are few enough then', async () => {
    const members = [group.join('a', { plan: 'p'.repeat(300_000) }), group.join('b', { plan: 'p'.repeat(300_000) })];
    await group.advance(30_000);
    expect(members.flatMap(({ failures }) => failures.map(({ code }) => code))).toEqual(['BROKER_ERROR']);
    expect(members.flatMap(({ failures }) => failures.map(({ message }) => message)).join()).toMatch(/have 12\d{5} bytes/);
    expect(members.find(({ failures }) => failures.length === 0)?.membership.tasks).toEqual([0, 1, 2, 3]);
  });

  it('that the broker could not keep for a moment are asked for again', async () => {
    group.broker.faults.add({ match: ({ api }) => api === 'syncGroup', action: { kind: 'answer', errorCode: -1 }, times: 4 });
    const a = group.join('a');
    await group.advance(5_000);
    expect([a.membership.tasks, a.failures]).toEqual([[0, 1, 2, 3], []]);
  });
});
