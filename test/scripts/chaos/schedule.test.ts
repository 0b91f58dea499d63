import { expectedMs, type FaultKind, scheduleOf } from '../../../scripts/chaos/schedule';

const KINDS: readonly FaultKind[] = [
  ...([
    'killInstance',
    'killAtStep',
    'freezeShort',
    'freezeLong',
    'freezeTransaction',
    'terminate',
    'diskDeleted',
    'diskOlder',
    'diskCorrupted',
  ] as const),
  ...(['killBroker', 'killCoordinator', 'stopBroker', 'stopBrokerLong'] as const),
  ...(['answerLost', 'oldCopy', 'connectionsCut', 'slowRecord', 'clockJump', 'diskFull', 'memberChurn'] as const),
];

function kindsOf(seed: number, seconds: number): Map<FaultKind, number> {
  const kinds = new Map<FaultKind, number>();
  for (const { faults } of scheduleOf(seed, seconds)) {
    for (const { fault } of faults) kinds.set(fault.kind, (kinds.get(fault.kind) ?? 0) + 1);
  }
  return kinds;
}

describe('the schedule of a chaos run', () => {
  it('is the same for the same seed and time, and another for another seed', () => {
    expect(scheduleOf(7, 120)).toEqual(scheduleOf(7, 120));
    expect(scheduleOf(8, 120)).not.toEqual(scheduleOf(7, 120));
  });

  it('has each kind at least six times within ten minutes, whatever the seed: some may meet nobody', () => {
    for (let seed = 0; seed < 50; seed++) {
      const kinds = kindsOf(seed, 600);
      expect([...kinds.keys()].sort()).toEqual([...KINDS].sort());
      for (const kind of KINDS) expect({ seed, kind, enough: kinds.get(kind)! >= 6 }).toEqual({ seed, kind, enough: true });
    }
  });

  it('does one thing at a time in each lane, and ends in time', () => {
    for (let seed = 0; seed < 20; seed++) {
      for (const { faults } of scheduleOf(seed, 200)) {
        let free = 0;
        for (const { atMs, fault } of faults) {
          expect(atMs).toBeGreaterThanOrEqual(free);
          free = atMs + expectedMs(fault);
        }
        expect(free).toBeLessThanOrEqual(200_000);
      }
    }
  });

  it('leaves one broker out at a time: all of their faults are in one lane', () => {
    const ofBrokers = scheduleOf(3, 600).filter(({ faults }) =>
      faults.some(({ fault }) => 'broker' in fault || fault.kind === 'killCoordinator'),
    );
    expect(ofBrokers.map(({ name }) => name)).toEqual(['brokers']);
  });

  it('leaves out what cannot end in time', () => {
    for (let seed = 0; seed < 20; seed++) expect(kindsOf(seed, 30).has('stopBrokerLong')).toBe(false);
  });
});
