import { forwardedLogger, ForwardedMetrics } from '../../src/threads/forwarding';
import type { FromWorker } from '../../src/threads/messages';
import { manualClock } from '../../src/time/manual-clock';

/** As a port does: what cannot be cloned throws. */
function port(): { readonly said: FromWorker[]; readonly post: (message: FromWorker) => void } {
  const said: FromWorker[] = [];
  return { said, post: (message) => said.push(structuredClone(message)) };
}

describe('a logger whose lines are written in another thread', () => {
  it('sends them as they are, errors too', () => {
    const { said, post } = port();
    forwardedLogger(post).warn({ task: 3, cause: new TypeError('why') }, 'beware');
    expect(said).toEqual([{ type: 'log', level: 'warn', fields: { task: 3, cause: new TypeError('why') }, message: 'beware' }]);
  });

  it('tells in words what cannot cross', () => {
    const { said, post } = port();
    forwardedLogger(post).error({ task: 3, policy: Symbol('skip') }, 'beware');
    expect(said).toEqual([{ type: 'log', level: 'error', fields: { task: '3', policy: 'Symbol(skip)' }, message: 'beware' }]);
  });
});

describe('metrics that are added in another thread', () => {
  it('counts cross every 100 ms, added up by name and tags', async () => {
    const { said, post } = port();
    const clock = manualClock();
    const metrics = new ForwardedMetrics(post, clock);
    metrics.add('process-total', 2, { task: '1' });
    metrics.add('process-total', 3, { task: '1' });
    metrics.add('process-total', 7, { task: '2' });
    await clock.advance(99);
    expect(said).toEqual([]);
    await clock.advance(1);
    const added = [
      ['process-total', 5, { task: '1' }],
      ['process-total', 7, { task: '2' }],
    ];
    expect(said).toEqual([{ type: 'metrics', added }]);
    await clock.advance(1_000);
    expect(said).toHaveLength(1);
  });

  it('durations cross one by one', () => {
    const { said, post } = port();
    const metrics = new ForwardedMetrics(post, manualClock());
    metrics.add('commit-latency-ms', 20, {});
    metrics.add('commit-latency-ms', 30, {});
    metrics.flush();
    const added = [
      ['commit-latency-ms', 20, {}],
      ['commit-latency-ms', 30, {}],
    ];
    expect(said).toEqual([{ type: 'metrics', added }]);
  });
});
