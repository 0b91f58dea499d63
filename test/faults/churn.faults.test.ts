import { Ground, PARTITIONS } from './ground';

const MINUTE_MS = 60_000;
const EVERY_MS = 1_000;

describe('members that join and leave every second for a minute', () => {
  it('R11: nobody stands still, and all of it happens once', () =>
    Ground.with('churn', async (ground) => {
      const writer = ground.writer();
      const steady = await ground.worker('steady').running();
      await steady.until('it commits', 30_000, () => steady.tasksSince(0).size === PARTITIONS);
      const begin = Date.now();
      const passing = [ground.worker('passing-0')];
      let next = begin;
      let left = 0;
      await steady.until('the minute is over', 2 * MINUTE_MS, () => {
        if (Date.now() < next) return Date.now() > begin + MINUTE_MS;
        next += EVERY_MS;
        // In turn, one comes and one goes: by SIGTERM, and every third time by kill -9.
        const running = passing.filter(({ exit, state }) => exit === undefined && state !== undefined && state !== 'created');
        if (running.length < 2) passing.push(ground.worker(`passing-${passing.length}`));
        else running[0]!.signal(++left % 3 === 0 ? 'SIGKILL' : 'SIGTERM');
        return false;
      });
      const gapMs = ground.longestGap(begin);
      for (const each of passing) each.signal('SIGTERM');
      for (const each of passing) await each.ended(60_000);
      await ground.stable(1);
      await writer.stop();
      await ground.expectExactlyOnce(writer);
      const joined = passing.filter((each) => each.told('generation').length > 0).length;
      ground.told(`${passing.length} came, ${joined} of them joined, longest gap of a task ${gapMs} ms`);
      expect(joined).toBeGreaterThan(5);
    }));
});
