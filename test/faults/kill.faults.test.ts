import { Ground, PARTITIONS, SESSION_MS } from './ground';

describe('kill -9 of an instance', () => {
  it('C1: the other goes on with its tasks, nothing is lost and nothing comes twice', () =>
    Ground.with('kill', async (ground) => {
      const writer = ground.writer();
      const one = await ground.worker('one').running();
      const two = await ground.worker('two').running();
      await ground.settled(one, two);
      const killedAt = Date.now();
      await one.kill();
      await two.until('it commits for every task', SESSION_MS + 30_000, () => two.tasksSince(killedAt).size === PARTITIONS);
      const failOverMs = ground.longestGap(killedAt);
      ground.told(`fail-over ${failOverMs} ms at a session timeout of ${SESSION_MS} ms`);
      const again = await ground.worker('one').running();
      await ground.stable(2);
      await again.until('it commits too', 30_000, () => again.committedSince(0).length > 5);
      await writer.stop();
      await ground.expectExactlyOnce(writer);
      expect(failOverMs).toBeLessThan(SESSION_MS + 5_000);
    }));
});
