import fc from 'fast-check';
import { assignTasks, type GroupMember } from '../../src/kafka/assignor';

const member = (memberId: string, owned: readonly number[] = [], generation = 1): GroupMember => ({ memberId, owned, generation });

/** Rebalances until nobody has to give anything up, as the group does. */
function settle(members: readonly GroupMember[], tasks: number): { readonly members: readonly GroupMember[]; readonly rounds: number } {
  for (let rounds = 1, current = members; ; rounds++) {
    const assignment = assignTasks(current, tasks);
    const next = current.map(({ memberId }) => member(memberId, assignment.get(memberId) ?? [], rounds + 1));
    const gaveUp = current.some(({ memberId, owned }) => owned.some((task) => !(assignment.get(memberId) ?? []).includes(task)));
    current = next;
    if (!gaveUp) return { members: current, rounds };
  }
}

describe('assigning tasks', () => {
  it('balances within one task', () => {
    const assignment = assignTasks([member('a'), member('b'), member('c')], 7);
    expect([...assignment.values()].map((tasks) => tasks.length).sort()).toEqual([2, 2, 3]);
  });

  it('leaves what is balanced as it is', () => {
    const assignment = assignTasks([member('a', [1, 3]), member('b', [0, 2])], 4);
    expect(Object.fromEntries(assignment)).toEqual({ a: [1, 3], b: [0, 2] });
  });

  it('gives a task to a new owner only once the old one has given it up', () => {
    const first = assignTasks([member('a', [0, 1, 2, 3]), member('b')], 4);
    expect(Object.fromEntries(first)).toEqual({ a: [0, 1], b: [] });
    const second = assignTasks([member('a', [0, 1]), member('b')], 4);
    expect(Object.fromEntries(second)).toEqual({ a: [0, 1], b: [2, 3] });
  });

  it('believes the newer of two claims', () => {
    const assignment = assignTasks([member('a', [0, 1], 3), member('b', [0, 1], 5)], 2);
    expect(assignment.get('a')).toEqual([]);
  });

  it('has members without tasks when there are more of them than tasks', () => {
    const { members } = settle([member('a'), member('b'), member('c')], 2);
    expect(members.map(({ owned }) => owned.length).sort()).toEqual([0, 1, 1]);
  });

  it('is the same in whatever order the members come, and in the end covers every task once, balanced', () => {
    const group = fc
      .record({
        count: fc.integer({ min: 1, max: 6 }),
        tasks: fc.integer({ min: 0, max: 12 }),
        seed: fc.array(fc.nat(6), { maxLength: 12 }),
      })
      .map(({ count, tasks, seed }) => ({
        tasks,
        members: Array.from({ length: count }, (_, at) =>
          member(
            `m${String(at)}`,
            seed.flatMap((owner, task) => (owner === at ? [task] : [])),
          ),
        ),
      }));
    fc.assert(
      fc.property(group, ({ members, tasks }) => {
        expect(assignTasks([...members].reverse(), tasks)).toEqual(assignTasks(members, tasks));
        const settled = settle(members, tasks);
        expect(settled.rounds).toBeLessThanOrEqual(3);
        const owned = settled.members.flatMap((each) => each.owned);
        expect([...owned].sort((a, b) => a - b)).toEqual(Array.from({ length: tasks }, (_, task) => task));
        const sizes = settled.members.map((each) => each.owned.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
