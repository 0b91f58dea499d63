import { RecentPositions } from '../../src/commit/recent-positions';
import { manualClock, type ManualClock } from '../../src/time/manual-clock';

describe('where a task stood', () => {
  let clock: ManualClock;
  let recent: RecentPositions;

  beforeEach(() => {
    clock = manualClock();
    recent = new RecentPositions(clock);
  });

  async function pass(seconds: number, from: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      recent.note(new Map([[1, from + second]]));
      await clock.advance(1_000);
    }
  }

  it('is told as it was five seconds before it was last noted', async () => {
    await pass(60, 100);
    expect(recent.of(1, 160)).toBe(154);
  });

  it('is told as it was first, before that', async () => {
    await pass(3, 100);
    expect(recent.of(1, 103)).toBe(100);
  });

  it('is where it is while nothing is known, and never ahead of that', async () => {
    expect(recent.of(1, 7)).toBe(7);
    await pass(10, 100);
    expect(recent.of(1, 50)).toBe(50);
  });

  it('is forgotten with the task', async () => {
    await pass(10, 100);
    recent.note(new Map());
    expect(recent.of(1, 110)).toBe(110);
  });
});
