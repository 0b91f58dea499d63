import { delay } from '../../src/time/clock';
import { manualClock } from '../../src/time/manual-clock';

describe('the manual clock', () => {
  it('calls timers in order of time, then of setting', async () => {
    const clock = manualClock();
    const calls: string[] = [];
    for (const [name, ms] of [
      ['c', 30],
      ['a', 10],
      ['d', 30],
      ['b', 20],
    ] as const)
      clock.setTimer(ms, () => calls.push(`${name}@${String(clock.monotonic())}`));
    await clock.advance(30);
    expect(calls).toEqual(['a@10', 'b@20', 'c@30', 'd@30']);
  });

  it('keeps many timers in order', async () => {
    const clock = manualClock({ seed: 3 });
    const due: number[] = [];
    const called: number[] = [];
    for (let i = 0; i < 500; i++) {
      const ms = Math.floor(clock.random() * 100);
      due.push(ms);
      clock.setTimer(ms, () => called.push(ms));
    }
    await clock.advance(100);
    expect(called).toEqual(due.sort((a, b) => a - b));
  });

  it('does not call what is due later, nor what was cancelled', async () => {
    const clock = manualClock();
    const calls: string[] = [];
    clock.setTimer(10, () => calls.push('late')).cancel();
    clock.setImmediate(() => calls.push('immediate')).cancel();
    clock.setTimer(11, () => calls.push('later'));
    await clock.advance(10);
    expect(calls).toEqual([]);
    expect(clock.waiting()).toEqual({ immediates: 0, timers: 1 });
  });

  it('lets promises settle between two callbacks of the same time', async () => {
    const clock = manualClock();
    const calls: string[] = [];
    const deep = async (depth: number): Promise<void> => (depth === 0 ? undefined : deep(depth - 1));
    clock.setTimer(5, () => {
      void deep(50).then(() => calls.push('what follows from the first'));
    });
    clock.setTimer(5, () => calls.push('the second'));
    await clock.advance(5);
    expect(calls).toEqual(['what follows from the first', 'the second']);
  });

  it('passes the time a loop of waits takes', async () => {
    const clock = manualClock();
    const readings: number[] = [];
    const loop = (async () => {
      for (let i = 0; i < 3; i++) {
        await delay(clock, 10);
        readings.push(clock.monotonic());
      }
    })();
    await clock.advance(100);
    await loop;
    expect(readings).toEqual([10, 20, 30]);
    expect(clock.monotonic()).toBe(100);
  });

  it('calls immediates before timers, without passing time', async () => {
    const clock = manualClock();
    const calls: string[] = [];
    clock.setTimer(0, () => calls.push('timer'));
    clock.setImmediate(() => {
      calls.push('immediate');
      clock.setImmediate(() => calls.push('set by an immediate'));
    });
    await clock.settle();
    expect(calls).toEqual(['immediate', 'set by an immediate']);
    await clock.advance(0);
    expect(calls).toContain('timer');
  });

  it('steps to the next timer, and says when nothing is waiting', async () => {
    const clock = manualClock();
    clock.setTimer(40, () => undefined);
    expect(await clock.step()).toBe(true);
    expect(clock.monotonic()).toBe(40);
    expect(await clock.step()).toBe(false);
  });

  it('jumps the wall clock alone', async () => {
    const clock = manualClock({ start: 1_000 });
    clock.jump(-400);
    await clock.advance(50);
    expect([clock.now(), clock.monotonic()]).toEqual([650, 50]);
  });

  it('draws the same numbers from the same seed, and others from another', () => {
    const draw = (seed: number): number[] => {
      const clock = manualClock({ seed });
      return Array.from({ length: 1000 }, () => clock.random());
    };
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
    expect(draw(5).every((x) => x >= 0 && x < 1)).toBe(true);
    const mean = draw(5).reduce((sum, x) => sum + x, 0) / 1000;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.05);
  });
});
