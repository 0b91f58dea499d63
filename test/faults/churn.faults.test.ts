import { Ground, PARTITIONS } from './ground';

const MINUTE_MS = 60_000;
const EVERY_MS = 1_000;
/** A task may move every second, and one that a dead member had waits for its session to end. */
const LONGEST_GAP_MS = 30_000;

describe('members that join and leave every second for a minute', () => {
  it('R11: nobody stands still, and all of it happens once', () =>
    Ground.with('churn', async (ground) => {
      const writer = ground.writer();
      const steady = await ground.worker('steady').running();
      await ground.settled(steady);
      // Half a turn apart: every second one comes or goes.
      const first = await ground.worker('first', { comeAndGoMs: 2 * EVERY_MS }).running();
      const second = ground.worker('second', { comeAndGoMs: 2 * EVERY_MS });
      let third = ground.worker('third', { comeAndGoMs: 2 * EVERY_MS });
      const passing = [first, second, third];
      const begin = Date.now();
      let killAt = begin + MINUTE_MS / 3;
      await steady.until('the minute is over', 2 * MINUTE_MS, () => {
        // One of them dies now and then, in the middle of whatever it is about.
        if (Date.now() > killAt) {
          killAt += MINUTE_MS / 3;
          third.signal('SIGKILL');
          third = ground.worker('third', { comeAndGoMs: 2 * EVERY_MS });
          passing.push(third);
        }
        return Date.now() > begin + MINUTE_MS;
      });
      const gapMs = ground.longestGap(begin);
      const living = passing.filter(({ exit }) => exit === undefined);
      for (const each of living) each.signal('SIGTERM');
      for (const each of living) await each.ended();
      await ground.stable(1);
      await writer.stop();
      await ground.expectExactlyOnce(writer);
      const comings = passing.reduce((sum, each) => sum + each.told('state').filter(({ state }) => state === 'created').length, 0);
      ground.told(`members came ${comings} times, longest gap of a task ${gapMs} ms`);
      expect(comings).toBeGreaterThan(10);
      expect(steady.tasksSince(0).size).toBe(PARTITIONS);
      expect(gapMs).toBeLessThan(LONGEST_GAP_MS);
    }));
});
