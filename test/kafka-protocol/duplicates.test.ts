import { SESSION_MS, TestGroup } from './test-group';

let group: TestGroup;

beforeEach(() => {
  group = new TestGroup();
});

afterEach(() => {
  group.close();
});

describe('two processes under one instance, without instanceId', () => {
  it('the younger one gets nothing, says so, and stops when it is told again a session later; the error names both', async () => {
    const senior = group.join('senior', { instance: 'x', nonce: '1000-0.1' });
    await group.advance(2_000);
    const twin = group.join('twin', { instance: 'x', nonce: '2000-0.2' });
    await group.advance(3_000);
    expect([twin.told, twin.failures, twin.warnings.filter((each) => each.includes('another process')).length]).toEqual([[], [], 1]);
    await group.advance(SESSION_MS);
    expect(twin.failures.map(({ code }) => code)).toEqual(['INSTANCE_DUPLICATE']);
    expect(twin.failures[0]?.message).toContain('1970-01-01T00:00:01');
    expect(twin.failures[0]?.message).toContain('1970-01-01T00:00:02');
    expect([senior.membership.tasks, senior.failures]).toEqual([[0, 1, 2, 3], []]);
  });

  it('the one that comes does not stop for one that died as it joined', async () => {
    const dying = group.join('dying', { instance: 'x', nonce: '1000-0.1' });
    await group.advance(2_000);
    const successor = group.join('successor', { instance: 'x', nonce: '2000-0.2' });
    await group.advance(1_000);
    dying.membership.stop();
    await group.advance(3 * SESSION_MS);
    expect([successor.membership.tasks, successor.failures]).toEqual([[0, 1, 2, 3], []]);
  });

  it('other rebalances meanwhile do not make it stop sooner', async () => {
    const senior = group.join('senior', { instance: 'x', nonce: '1000-0.1' });
    await group.advance(2_000);
    const twin = group.join('twin', { instance: 'x', nonce: '2000-0.2' });
    await group.advance(1_000);
    for (let round = 0; round < 4; round++) {
      const passing = group.join(`passing-${String(round)}`);
      await group.advance(500);
      void passing.membership.leave();
      await group.advance(500);
    }
    expect(twin.failures).toEqual([]);
    await group.advance(SESSION_MS);
    expect(twin.failures).toHaveLength(1);
    expect(senior.failures).toEqual([]);
  });
});
