import { Ground, PARTITIONS } from './ground';

const STOPPED_MS = 40_000;

describe('a broker that is stopped for 40 s', () => {
  it('K1: others take over what it leads, it steps back when it goes on, and nothing is lost or repeated', () =>
    Ground.with('broker-stopped', async (ground) => {
      const config = { sessionTimeout: 60_000 };
      const writer = ground.writer();
      const one = await ground.worker('one', { config }).running();
      const two = await ground.worker('two', { config }).running();
      await ground.settled(one, two);
      const rebalances = ground.rebalances;
      const broker = ground.brokers.broker(await ground.leaderOf(ground.job.input, 0));
      const all = (from: number): boolean => new Set([...one.tasksSince(from), ...two.tasksSince(from)]).size === PARTITIONS;
      const stoppedAt = Date.now();
      broker.stop();
      await two.until('40 s are over', 2 * STOPPED_MS, () => {
        one.check();
        return Date.now() > stoppedAt + STOPPED_MS;
      });
      const stoppedMs = ground.longestGap(stoppedAt);
      // Half of the time is for requests that the stopped broker took and did not answer.
      const wentOn = all(stoppedAt + STOPPED_MS / 2);
      const onAt = Date.now();
      broker.continue();
      await one.until('every task goes on', 60_000, () => all(onAt));
      await ground.whole();
      ground.told(`gap ${stoppedMs} ms while it was stopped, ${ground.longestGap(onAt)} ms when it went on`);
      await writer.stop();
      await ground.expectExactlyOnce(writer);
      expect(wentOn).toBe(true);
      expect(ground.rebalances).toBe(rebalances);
    }));
});
