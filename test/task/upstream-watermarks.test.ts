import * as fc from 'fast-check';
import { UpstreamWatermarks } from '../../src/task/upstream-watermarks';
import type { WatermarkMarker } from '../../src/task/watermark-marker';

const marker = (task: number, watermark: number, idle: boolean, at = 0): WatermarkMarker => ({ task, watermark, idle, at });

describe('what the upstream tasks of a repartition say', () => {
  it('one that has said nothing holds all back', () => {
    const upstream = new UpstreamWatermarks(3);
    upstream.said(marker(0, 100, false));
    upstream.said(marker(1, 50, false));
    expect(upstream.least).toBe(-1);
    upstream.said(marker(2, 70, false));
    expect(upstream.least).toBe(50);
  });

  it('an idle one holds nobody back, until it counts again', () => {
    const upstream = new UpstreamWatermarks(2);
    upstream.said(marker(0, 100, false));
    upstream.said(marker(1, 50, true));
    expect(upstream.least).toBe(100);
    upstream.said(marker(1, 60, false));
    expect(upstream.least).toBe(60);
  });

  it('one that was idle from the start never held anybody back', () => {
    const upstream = new UpstreamWatermarks(2);
    upstream.said(marker(1, -1, true));
    upstream.said(marker(0, 100, false));
    expect(upstream.least).toBe(100);
  });

  it('when all are idle the greatest watermark holds', () => {
    const upstream = new UpstreamWatermarks(2);
    upstream.said(marker(0, 100, true));
    upstream.said(marker(1, 50, true));
    expect([upstream.least, upstream.idle]).toEqual([100, true]);
  });

  it('a task that says less than before has not gone back', () => {
    const upstream = new UpstreamWatermarks(1);
    upstream.said(marker(0, 100, false));
    upstream.said(marker(0, 40, false));
    expect(upstream.least).toBe(100);
  });

  it('a task that the plan does not know counts from when it speaks, and those before it too', () => {
    const upstream = new UpstreamWatermarks(1);
    upstream.said(marker(0, 100, false));
    upstream.said(marker(2, 100, false));
    expect(upstream.least).toBe(-1);
    upstream.said(marker(1, 30, false));
    expect(upstream.least).toBe(30);
  });

  it('one that was idle holds all back again when it has not said so for some seconds, by the clocks of those that speak', () => {
    const upstream = new UpstreamWatermarks(3);
    upstream.said(marker(0, 10, true, 1_000));
    upstream.said(marker(1, 20, false, 2_000));
    upstream.said(marker(2, 90, false, 6_000));
    expect(upstream.least).toBe(20);
    upstream.said(marker(1, 30, false, 6_001));
    expect(upstream.least).toBe(10);
    upstream.said(marker(0, 10, true, 6_500));
    expect(upstream.least).toBe(30);
  });

  it('one that is idle, and whose clock is far from that of the others, is so whenever it says it', () => {
    const upstream = new UpstreamWatermarks(2);
    const found = [marker(0, 10, true, 90_000), marker(1, 50, false, 1_000), marker(0, 10, true, 92_000), marker(1, 60, false, 3_000)].map(
      (each) => {
        upstream.said(each);
        return upstream.least;
      },
    );
    expect(found).toEqual([-1, 10, 50, 10]);
  });

  it('is after a rollback what it was at the checkpoint', () => {
    const upstream = new UpstreamWatermarks(2);
    upstream.said(marker(0, 10, false));
    upstream.said(marker(1, 20, false));
    upstream.checkpoint();
    upstream.said(marker(0, 90, true));
    upstream.said(marker(1, 80, false));
    upstream.rollback();
    expect([upstream.least, upstream.idle]).toEqual([10, false]);
  });
});

const said = fc.record({
  tasks: fc.integer({ min: 1, max: 40 }),
  words: fc.array(
    fc.record({
      task: fc.nat(39),
      watermark: fc.oneof(fc.nat(100_000), fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER })),
      idle: fc.boolean(),
    }),
    { maxLength: 60 },
  ),
});

function after({ tasks, words }: { tasks: number; words: { task: number; watermark: number; idle: boolean }[] }): UpstreamWatermarks {
  const upstream = new UpstreamWatermarks(tasks);
  for (const { task, watermark, idle } of words) if (task < tasks) upstream.said(marker(task, watermark, idle));
  return upstream;
}

describe('kept in a cell', () => {
  it('comes back whole when there is room, but that all count', () => {
    const upstream = after({
      tasks: 30,
      words: Array.from({ length: 30 }, (_, task) => ({ task, watermark: 1_760_000_000_000 + task * 977, idle: task % 7 === 0 })),
    });
    const again = new UpstreamWatermarks(30);
    again.decode(upstream.encode());
    expect([again.least, again.idle, again.encode()]).toEqual([1_760_000_000_000, false, upstream.encode()]);
  });

  it('never takes more bytes than planned, and never comes back greater than it was', () => {
    fc.assert(
      fc.property(said, (given) => {
        const upstream = after(given);
        const text = upstream.encode();
        expect(text.length).toBeLessThanOrEqual(240);
        const again = new UpstreamWatermarks(given.tasks);
        again.decode(text);
        expect(again.least).toBeLessThanOrEqual(upstream.least);
        // Those that are idle say it again.
        const idle = new Map(given.words.map((each) => [each.task, each.idle]));
        for (const [task, isIdle] of idle) if (isIdle && task < given.tasks) again.said(marker(task, -1, true));
        expect(again.least).toBeLessThanOrEqual(upstream.least);
        expect(again.least < 0).toBe(upstream.least < 0);
      }),
    );
  });

  it('of hundreds of tasks is less exact, by no more than need be', () => {
    const words = Array.from({ length: 150 }, (_, task) => ({ task, watermark: 1_760_000_000_000 + task * 1_000, idle: false }));
    const upstream = after({ tasks: 150, words });
    const again = new UpstreamWatermarks(150);
    again.decode(upstream.encode());
    for (const { task } of words) again.said(marker(task, 0, task !== 149));
    expect(again.least).toBeGreaterThan(1_760_000_000_000 + 140_000);
    expect(again.least).toBeLessThanOrEqual(1_760_000_000_000 + 149_000);
  });

  it('of more tasks than there are bytes is unknown until they speak again', () => {
    const words = Array.from({ length: 500 }, (_, task) => ({ task, watermark: 5, idle: false }));
    const again = new UpstreamWatermarks(500);
    again.decode(after({ tasks: 500, words }).encode());
    expect(again.least).toBe(-1);
  });

  it('of a plan with more tasks leaves those out that are gone: they would never speak again', () => {
    const words = [3, 2, 5].map((watermark, task) => ({ task, watermark, idle: false }));
    const again = new UpstreamWatermarks(2);
    again.decode(after({ tasks: 3, words }).encode());
    again.said(marker(0, 7, false));
    again.said(marker(1, 9, false));
    expect(again.least).toBe(7);
  });

  it('of a plan with fewer tasks leaves those unknown that are new', () => {
    const words = [3, 2].map((watermark, task) => ({ task, watermark, idle: false }));
    const again = new UpstreamWatermarks(3);
    again.decode(after({ tasks: 2, words }).encode());
    expect(again.least).toBe(-1);
    again.said(marker(2, 9, false));
    expect(again.least).toBe(2);
  });

  it.each(['', '\u0002what a later version writes'])('leaves all unknown when it says nothing that is understood: %j', (text) => {
    const upstream = new UpstreamWatermarks(2);
    upstream.decode(text);
    expect(upstream.least).toBe(-1);
  });
});
