import { Ground, PARTITIONS, SESSION_MS } from './ground';

const BUDGET_MS = 10_000;

describe('SIGTERM under load', () => {
  it('D2: an instance drains, commits, leaves and ends with 0 within its budget; the other has its tasks long before a session ends', () =>
    Ground.with('sigterm', async (ground) => {
      const writer = ground.writer({ batch: 50 });
      // A session that would not end within the test: who leaves says so.
      const config = { sessionTimeout: 120_000 };
      const one = await ground.worker('one', { config, closeWithinMs: BUDGET_MS }).running();
      const two = await ground.worker('two', { config, closeWithinMs: BUDGET_MS }).running();
      await ground.settled(one, two);
      const askedAt = Date.now();
      one.signal('SIGTERM');
      expect(await one.ended(BUDGET_MS + 20_000)).toEqual({ code: 0, signal: null });
      const endedMs = Date.now() - askedAt;
      await ground.stable(1, SESSION_MS);
      await two.until('it commits for every task', 30_000, () => two.tasksSince(askedAt).size === PARTITIONS);
      ground.told(`ended after ${endedMs} ms, gap ${ground.longestGap(askedAt)} ms`);
      expect(endedMs).toBeLessThan(BUDGET_MS);
      await writer.stop();
      await ground.expectExactlyOnce(writer);
      two.signal('SIGTERM');
      expect(await two.ended()).toEqual({ code: 0, signal: null });
      expect((await ground.client.group(ground.application)).members).toBe(0);
    }));
});
