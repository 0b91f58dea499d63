import { Ground, PARTITIONS } from './ground';

/** No broker's death lasts so long: 6 s until the others notice, and some until they have taken over. */
const SESSION_BEYOND_BROKERS_MS = 30_000;

describe('kill -9 of a broker, and its return', () => {
  it('K1: makes no member join anew, and nothing is lost or repeated', () =>
    Ground.with('broker-killed', async (ground) => {
      const config = { sessionTimeout: SESSION_BEYOND_BROKERS_MS };
      const writer = ground.writer();
      const one = await ground.worker('one', { config }).running();
      const two = await ground.worker('two', { config }).running();
      await ground.settled(one, two);
      const rebalances = ground.rebalances;
      const broker = ground.brokers.broker(await ground.leaderOf(ground.job.input, 0));
      const killedAt = Date.now();
      await broker.kill();
      const all = (from: number): boolean => new Set([...one.tasksSince(from), ...two.tasksSince(from)]).size === PARTITIONS;
      await one.until('every task goes on without it', 60_000, () => all(killedAt + 8_000));
      const withoutMs = ground.longestGap(killedAt);
      const backAt = Date.now();
      await broker.restart();
      await ground.whole();
      const wholeAt = Date.now();
      await one.until('every task goes on with it', 60_000, () => all(wholeAt));
      ground.told(`gap ${withoutMs} ms when it died, ${ground.longestGap(backAt)} ms when it came back`);
      await writer.stop();
      await ground.expectExactlyOnce(writer);
      expect(ground.rebalances).toBe(rebalances);
    }));
});
