import { Ground, PARTITIONS } from './ground';
import { until } from './until';

/** A process that starts, joins, and is watched for a while, all of it within the session of the slow one. */
const SESSION_MS = 60_000;
const SHORT_SESSION_MS = 12_000;
const WATCHED_MS = 5_000;

describe('a member that is slow in JoinGroup', () => {
  it('R8: is waited for while its session lasts; meanwhile the others work and commit under the generation before', () =>
    Ground.with('slow-join', async (ground) => {
      const config = { sessionTimeout: SESSION_MS };
      const writer = ground.writer();
      const one = await ground.worker('one', { config }).running();
      const slow = await ground.worker('slow', { config }).running();
      await ground.settled(one, slow);
      const owned = [...one.tasksSince(Date.now() - 1_000)];
      expect(owned).toHaveLength(PARTITIONS / 2);
      slow.signal('SIGSTOP');
      const three = ground.worker('three', { config });
      await until('the group waits for the slow one', 60_000, async () => {
        return (await ground.client.group(ground.application)).state === 'PreparingRebalance';
      });
      const waitingAt = Date.now();
      await one.until('it has worked for 5 s', SESSION_MS, () => owned.every((task) => one.tasksSince(waitingAt + WATCHED_MS).has(task)));
      const waitedMs = Date.now() - waitingAt;
      expect((await ground.client.group(ground.application)).state).toBe('PreparingRebalance');
      const gapMs = one.longestGap(owned, waitingAt);
      slow.signal('SIGCONT');
      await three.until('it has tasks', 60_000, () => three.committedSince(0).length > 0);
      await ground.stable(3);
      ground.told(`longest gap of a task of the other ${gapMs} ms in ${waitedMs} ms of waiting for the slow one`);
      await writer.stop();
      await ground.expectExactlyOnce(writer);
      expect(gapMs).toBeLessThan(2_000);
    }));

  it('R8: that stops between JoinGroup and SyncGroup holds up nobody, a transaction that was under way neither', () =>
    Ground.with('slow-sync', async (ground) => {
      const config = { sessionTimeout: SHORT_SESSION_MS };
      const writer = ground.writer();
      const one = await ground.worker('one', { config }).running();
      await ground.settled(one);
      const slow = ground.worker('slow', { config, at: { step: 'syncGroup', nth: 1, signal: 'SIGSTOP' } });
      await slow.stopped();
      const stoppedAt = Date.now();
      await one.until('it has worked for 5 s', 3 * SHORT_SESSION_MS, () => one.tasksSince(stoppedAt + WATCHED_MS).size >= PARTITIONS / 2);
      const kept = one.tasksSince(stoppedAt + WATCHED_MS);
      const gapMs = one.longestGap(kept, stoppedAt);
      slow.signal('SIGCONT');
      await ground.settled(one, slow);
      ground.told(`longest gap of the tasks ${[...kept].join(', ')} of the other ${gapMs} ms`);
      await writer.stop();
      await ground.expectExactlyOnce(writer);
      expect(gapMs).toBeLessThan(2_000);
    }));
});
