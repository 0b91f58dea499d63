import type { Cell } from '../../src/state/scope';
import { SourceWatermark } from '../../src/task/input-watermarks';
import { type ManualClock, manualClock } from '../../src/time/manual-clock';

let clock: ManualClock;
let cell: Cell<number>;
let changes: number;

beforeEach(() => {
  clock = manualClock();
  cell = { value: -1 };
  changes = 0;
});

function watermark(idleAfter?: number, outOfOrderness = 0): SourceWatermark {
  const made = new SourceWatermark(cell, outOfOrderness, idleAfter, clock, () => changes++);
  made.begin();
  return made;
}

/** What the broker answers, one answer each 100 ms. */
async function answers(to: SourceWatermark, silent: boolean, times: number): Promise<void> {
  for (let at = 0; at < times; at++) {
    await clock.advance(100);
    to.answered(silent);
  }
}

describe('the watermark of a partition', () => {
  it('is the greatest timestamp, less the out-of-orderness, and never goes back', () => {
    const one = watermark(undefined, 5);
    expect([20, 12, 26].map((timestamp) => [one.observe(timestamp), one.time])).toEqual([
      [true, 15],
      [false, 15],
      [true, 21],
    ]);
  });

  it('is unknown while nothing has come that is greater than the out-of-orderness', () => {
    const one = watermark(undefined, 100);
    one.observe(99);
    expect(one.time).toBe(-1);
  });

  it('goes on where it was, from its cell', () => {
    watermark().observe(50);
    const again = watermark();
    expect(again.observe(40)).toBe(false);
    expect(again.time).toBe(50);
  });
});

describe('a partition that is silent', () => {
  it('is idle after `idleAfter`, as soon as an answer says so that was asked for then', async () => {
    const one = watermark(1_000);
    await answers(one, true, 10);
    expect(one.idle).toBe(false);
    await answers(one, true, 1);
    expect([one.idle, changes]).toEqual([true, 1]);
  });

  it('is never idle without `idleAfter`', async () => {
    const one = watermark();
    await answers(one, true, 1_000);
    expect(one.idle).toBe(false);
  });

  it('counts again with the next record that comes, and its silence begins anew', async () => {
    const one = watermark(1_000);
    await answers(one, true, 11);
    await answers(one, false, 1);
    expect([one.idle, changes]).toEqual([false, 2]);
    await answers(one, true, 10);
    expect(one.idle).toBe(false);
    await answers(one, true, 1);
    expect(one.idle).toBe(true);
  });

  it('is not idle while something is left to be read or pushed', async () => {
    const one = watermark(1_000);
    await answers(one, false, 50);
    expect(one.idle).toBe(false);
  });

  it('is not idle because of an answer that lay about while this process stood still', async () => {
    const one = watermark(1_000);
    await answers(one, true, 3);
    // The process is stopped for a minute; what it reads then is what the broker said before that.
    await clock.advance(60_000);
    one.answered(true);
    expect(one.idle).toBe(false);
    one.answered(false);
    expect(one.idle).toBe(false);
  });

  it('is not idle while no broker answers', async () => {
    const one = watermark(1_000);
    await clock.advance(60_000);
    one.review();
    expect(one.idle).toBe(false);
  });

  it('is idle again as soon as the broker is heard of again, if nothing has come meanwhile', async () => {
    const one = watermark(1_000);
    await answers(one, true, 11);
    await clock.advance(30_000);
    one.review();
    // The first may have lain about.
    const found = [one.idle];
    await answers(one, true, 1);
    found.push(one.idle);
    await answers(one, true, 1);
    found.push(one.idle);
    expect(found).toEqual([false, false, true]);
  });

  it('is idle no longer when the broker is not heard of', async () => {
    const one = watermark(500);
    await answers(one, true, 7);
    one.review();
    expect(one.idle).toBe(true);
    await clock.advance(2_001);
    one.review();
    expect(one.idle).toBe(false);
  });
});
