import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withoutTrace } from '../../examples/without-trace';
import type { Cluster } from '../../src';

function fixture() {
  const calls: unknown[] = [];
  const cluster = {
    createTopics: async (topics: unknown) => void calls.push(['create', topics]),
    deleteTopics: async (names: unknown) => void calls.push(['delete', names]),
  } as unknown as Cluster;
  const belongings = {
    cluster,
    applicationId: 'app',
    partitions: 3,
    topics: [{ name: 'in' }, { name: 'out' }],
    stores: [{ name: 'sums' }],
    internalTopics: [{ name: 'by-page' }],
  };
  return { calls, belongings };
}

const removed = ['delete', ['in', 'out', 'app-by-page-repartition', 'app-sums-changelog']];

describe('withoutTrace', () => {
  it('creates topics that keep old records, and removes them and those of the application', async () => {
    const { calls, belongings } = fixture();
    const configs = { 'retention.ms': '-1' };
    await expect(withoutTrace(belongings, async () => 'result')).resolves.toBe('result');
    expect(calls).toEqual([
      [
        'create',
        [
          { name: 'in', partitions: 3, configs },
          { name: 'out', partitions: 3, configs },
        ],
      ],
      removed,
    ]);
  });

  it('creates topics that are read as tables compacted', async () => {
    const { calls, belongings } = fixture();
    await withoutTrace({ ...belongings, tables: [{ name: 'out' }] }, async () => undefined);
    expect(calls[0]).toEqual([
      'create',
      [
        { name: 'in', partitions: 3, configs: { 'retention.ms': '-1' } },
        { name: 'out', partitions: 3, configs: { 'cleanup.policy': 'compact' } },
      ],
    ]);
  });

  it('gives a folder of its own and removes it with what is in it', async () => {
    const { belongings } = fixture();
    let folder = '';
    await withoutTrace(belongings, async (stateDirectory) => {
      folder = stateDirectory;
      await writeFile(join(stateDirectory, 'state'), 'x');
    });
    expect(folder).toContain('app-');
    expect(existsSync(folder)).toBe(false);
  });

  it('removes everything after a failure too', async () => {
    const { calls, belongings } = fixture();
    await expect(withoutTrace(belongings, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(calls.at(-1)).toEqual(removed);
  });
});
