import { cpSync } from 'node:fs';
import path from 'node:path';
import { Ground, PARTITIONS, SESSION_MS } from './ground';
import { until } from './until';

describe('two processes with one id', () => {
  it('of one instanceId the one that comes last works, the older stops and says why', () =>
    Ground.with('one-name', async (ground) => {
      const writer = ground.writer();
      const config = { instanceId: 'same' };
      const older = await ground.worker('older', { config }).running();
      await older.until('it works', 30_000, () => older.tasksSince(0).size === PARTITIONS);
      older.letEnd();
      const newer = ground.worker('newer', { config });
      expect(await older.ended(60_000)).toEqual({ code: 1, signal: null });
      const endedAt = Date.now();
      // Whoever hears of it first says so: the group, or the coordinator of its transactions.
      expect(['INSTANCE_DUPLICATE', 'FENCED']).toContain(older.failure?.code);
      expect(older.failure?.message).toMatch(/taken over by another process|two processes use one instance id/);
      await newer.until('it works', 60_000, () => newer.tasksSince(endedAt).size === PARTITIONS);
      ground.told(`the newer one works ${ground.longestGap(endedAt)} ms after the older one ended`);
      await writer.stop();
      await ground.expectExactlyOnce(writer);
    }));

  it('of one state directory, copied, one works, the other stops and says why', () =>
    Ground.with('one-state', async (ground) => {
      const writer = ground.writer();
      const before = await ground.worker('original').running();
      await before.until('it works', 30_000, () => before.tasksSince(0).size === PARTITIONS);
      before.signal('SIGTERM');
      expect(await before.ended()).toEqual({ code: 0, signal: null });
      cpSync(path.join(ground.folder, 'state-original'), path.join(ground.folder, 'state-copy'), { recursive: true });
      const original = (await ground.worker('original').running()).letEnd();
      await original.until('it works', 30_000, () => original.tasksSince(0).size === PARTITIONS);
      const copy = ground.worker('copy').letEnd();
      const both = [original, copy];
      const stopped = await until('one of them ends', SESSION_MS + 60_000, () => both.find(({ exit }) => exit !== undefined));
      const endedAt = Date.now();
      expect(stopped.failure?.message).toMatch(/two processes/i);
      const other = both.find((each) => each !== stopped)!;
      await other.until('it works', 60_000, () => other.tasksSince(endedAt).size === PARTITIONS);
      ground.told(`the ${stopped.name} ended with ${stopped.failure!.code}, the ${other.name} works`);
      await writer.stop();
      await ground.expectExactlyOnce(writer);
      expect(other.exit).toBeUndefined();
    }));
});
