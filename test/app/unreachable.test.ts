import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lastValueFrom } from 'rxjs';
import { millrace, string, to, topic, type MillraceError } from '../../src';

const clicks = topic('clicks', { key: string, value: string });

describe('brokers that cannot be reached', () => {
  it('are named in the error that comes after the stated time', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'millrace-unreachable-'));
    const app = millrace({ applicationId: 'app', brokers: ['127.0.0.1:1'], connectTimeout: 1_000, stateDirectory: folder });
    const began = performance.now();
    const error = (await lastValueFrom(app.run(({ stream }) => stream(clicks).pipe(to(clicks)))).catch(
      (cause: unknown) => cause,
    )) as MillraceError;
    expect(error).toMatchObject({ code: 'BROKERS_UNREACHABLE', retryable: true });
    expect(error.message).toContain('127.0.0.1:1');
    expect(performance.now() - began).toBeLessThan(15_000);
    rmSync(folder, { recursive: true });
  });
});
