import { cpSync } from 'node:fs';
import path from 'node:path';
import { Ground, PARTITIONS, SESSION_MS } from './ground';

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
      expect(older.failure).toMatchObject({ code: 'INSTANCE_DUPLICATE' });
      await newer.until('it works', 60_000, () => newer.tasksSince(endedAt).size === PARTITIONS);
      ground.told(`the newer one works ${ground.longestGap(endedAt)} ms after the older one ended`);
      await writer.stop();
      await ground.expectExactlyOnce(writer);
    }));

  it('of one state directory, copied, the one that works stays, the other stops and says why', () =>
    Ground.with('one-state', async (ground) => {
      const writer = ground.writer();
      const before = await ground.worker('original').running();
      await before.until('it works', 30_000, () => before.tasksSince(0).size === PARTITIONS);
      before.signal('SIGTERM');
      expect(await before.ended()).toEqual({ code: 0, signal: null });
      cpSync(path.join(ground.folder, 'state-original'), path.join(ground.folder, 'state-copy'), { recursive: true });
      const original = await ground.worker('original').running();
      await original.until('it works', 30_000, () => original.tasksSince(0).size === PARTITIONS);
      const copy = ground.worker('copy').letEnd();
      expect(await copy.ended(SESSION_MS + 60_000)).toEqual({ code: 1, signal: null });
      const endedAt = Date.now();
      expect(copy.failure).toMatchObject({ code: 'INSTANCE_DUPLICATE' });
      expect(copy.committedSince(0)).toEqual([]);
      await original.until('it works on', 60_000, () => original.tasksSince(endedAt).size === PARTITIONS);
      await writer.stop();
      await ground.expectExactlyOnce(writer);
    }));
});
