/** Assignment through whole histories of a group: members come, go, die, come back, miss a round; logs grow, copies catch up or not. */
import * as fc from 'fast-check';
import { assign } from '../../src/kafka/assignor';
import { histories, SimulatedGroup } from './assignor-histories';

/** More with PROPERTY_RUNS. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 100);

const runThrough = (bounds: { readonly plans?: number }, check: (group: SimulatedGroup) => void): void =>
  fc.assert(
    fc.property(histories(bounds), (history) => {
      const group = new SimulatedGroup(assign, history);
      group.live();
      check(group);
    }),
    { numRuns: RUNS },
  );

/** At every rebalance, whatever has happened: see SimulatedGroup.check. */
describe('through any history no task has two owners, none is without, no copy lies beside it, no more of them move than must', () => {
  it('and in the end the group rests: every task has an owner, everything is balanced, every copy is there', () => {
    runThrough({}, (group) => {
      group.settle();
      group.checkSettled();
    });
  });

  it('and with two plans in the group it rests all the same', () => {
    runThrough({ plans: 2 }, (group) => {
      group.settle();
      group.checkSettled();
    });
  });

  it('and while nobody catches up every task is worked on by somebody', () => {
    runThrough({}, (group) => group.checkWithoutProgress());
  });

  it('and a newcomer to a group at rest copies what is its share, and nobody else copies anything', () => {
    runThrough({}, (group) => {
      group.settle();
      group.checkNewcomer();
    });
  });

  it('and an instance that comes back with its disk finds its tasks and copies there', () => {
    runThrough({}, (group) => {
      group.settle();
      group.checkReturn();
    });
  });
});
