import type { Display } from '../../../examples/page-analytics/display';
import { runAndCheck, runForever } from '../../../examples/page-analytics/run';
import type { Scoreboard } from '../../../examples/page-analytics/scoreboard';
import { memoryCluster } from '../../../src';

jest.setTimeout(60_000); // a busy machine

const silent: Display = { show: () => undefined, end: () => undefined };
const never = new AbortController().signal;

describe('page-analytics', () => {
  it.each([1, 2])('gives what a plain loop gives, seed %i', async (seed) => {
    const verdict = await runAndCheck(10_000, { cluster: memoryCluster(), seed, signal: never, display: silent });
    expect(verdict).toMatchObject({ generated: 10_000, differences: [] });
    expect(verdict?.late).toBeGreaterThan(0);
    expect(verdict?.malformed).toBeGreaterThan(0);
    expect(verdict?.filtered).toBeGreaterThan(0);
  });

  it('can run twice at once on one cluster', async () => {
    const cluster = memoryCluster();
    const run = () => runAndCheck(2_000, { cluster, seed: 3, signal: never, display: silent });
    const [one, other] = await Promise.all([run(), run()]);
    expect(one?.differences).toEqual([]);
    expect(other?.differences).toEqual([]);
  });

  it('shows every page view by its end', async () => {
    let last: Scoreboard | undefined;
    const display: Display = { show: () => undefined, end: (board) => (last = board) };
    const verdict = await runAndCheck(2_000, { cluster: memoryCluster(), seed: 1, signal: never, display });
    expect(last?.views).toBe(last?.total);
    expect(last?.views).toBe((verdict?.counted ?? 0) + (verdict?.late ?? 0));
  });

  it('runs without an end until it is told to stop', async () => {
    const stop = new AbortController();
    let views = 0;
    const display: Display = {
      show: (board) => {
        views = board.views;
        if (views > 2_000) stop.abort();
      },
      end: () => undefined,
    };
    await runForever({ cluster: memoryCluster(), seed: 1, signal: stop.signal, display });
    expect(views).toBeGreaterThan(2_000);
  });

  it('checks nothing when it is stopped before its end', async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(runAndCheck(2_000, { cluster: memoryCluster(), seed: 1, signal: stop.signal, display: silent })).resolves.toBeUndefined();
  });
});
