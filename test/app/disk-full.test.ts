/**
 * A disk without room: the run ends with a named error, and once there is room nothing is missing. The disk is a small one of its own
 * where mounting is allowed, and else LevelDB with a bound on what may be written.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { lastValueFrom } from 'rxjs';
import {
  KafkaRecord,
  keyValueStore,
  memoryCluster,
  millrace,
  reduceWithStore,
  string,
  to,
  topic,
  type Cluster,
  type Topology,
} from '../../src';
import { noOrigin } from '../../src/model/origin';

const texts = topic('texts', { key: string, value: string });
const longest = keyValueStore('longest', { key: string, value: string });
const results = topic('results', longest.output);

const keeping: Topology = ({ stream, store }) =>
  stream(texts).pipe(
    reduceWithStore(store(longest), { reduce: (before, next) => (next.length >= before.length ? next : before) }),
    to(results),
  );

const KEYS = 3_000;
/** About 1 KB each, which LevelDB cannot make less of. */
const text = (number: number): string => Array.from({ length: 100 }, (_, at) => ((number * 31 + at) * 2_654_435_761).toString(36)).join('');
const some = (from: number, count: number): KafkaRecord<string, string>[] =>
  Array.from({ length: count }, (_, at) => KafkaRecord.of(`key-${(from + at) % KEYS}`, text(from + at), from + at, noOrigin));

const [MOUNT, UNMOUNT] = ['mount', 'umount'] as const;
const mounted = (...args: readonly string[]): boolean => spawnSync(MOUNT, args, { stdio: 'ignore' }).status === 0;

/** A disk of so many megabytes on a folder; false where that is not allowed. */
const isAllowed = ((): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-mount-'));
  const allowed = mounted('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder);
  if (allowed) spawnSync(UNMOUNT, [folder]);
  rmSync(folder, { recursive: true });
  return allowed;
})();

/** Refuses batches beyond so many bytes in the words of a disk without room. */
function boundedLevel(): { room: number; restore: () => void } {
  const bounded = { room: Infinity, restore: (): void => spy.mockRestore() };
  const original = ClassicLevel.prototype.batch;
  const spy = jest.spyOn(ClassicLevel.prototype, 'batch').mockImplementation(function (this: ClassicLevel) {
    const batch = original.call(this);
    const [put, write] = [batch.put.bind(batch), batch.write.bind(batch)];
    let bytes = 0;
    batch.put = ((key: Uint8Array, value: Uint8Array, options: never) => {
      bytes += key.length + value.length;
      return put(key as never, value as never, options);
    }) as typeof batch.put;
    batch.write = async (...args: [] | Parameters<typeof write>) => {
      if (bytes > bounded.room) throw new Error('IO error: No space left on device');
      bounded.room -= bytes;
      await write(...(args as Parameters<typeof write>));
    };
    return batch as never;
  });
  return bounded;
}

describe(`a disk that is full (${isAllowed ? 'a tmpfs' : 'a bound on what LevelDB may write'})`, () => {
  let directory: string;
  let cluster: Cluster;
  let level: ReturnType<typeof boundedLevel>;
  const warnings: string[] = [];
  const ignored = (): void => undefined;
  const logger = { debug: ignored, info: ignored, error: ignored, warn: (_: object, message: string) => void warnings.push(message) };

  beforeEach(async () => {
    warnings.length = 0;
    level = boundedLevel();
    directory = mkdtempSync(join(tmpdir(), 'millrace-full-'));
    cluster = memoryCluster();
    await cluster.createTopics(['texts', 'results'].map((name) => ({ name, partitions: 1 })));
  });

  afterEach(async () => {
    await cluster.close();
    level.restore();
    if (isAllowed) spawnSync(UNMOUNT, [directory]);
    rmSync(directory, { recursive: true, force: true });
  });

  const disk = (megabytes: number, ...how: readonly string[]): void => {
    if (!isAllowed) {
      level.room = megabytes << 20;
      return;
    }
    const options = [...how, `size=${megabytes}m`].join(',');
    expect(mounted('-t', 'tmpfs', '-o', options, 'tmpfs', directory)).toBe(true);
  };

  /** Flushes as soon as 64 KB are committed. Without `until` it ends when something fails. */
  async function life(until?: 'caught-up'): Promise<void> {
    const app = millrace({ applicationId: 'full', cluster, stateDirectory: directory, logger, commitInterval: 10, cacheBytes: 65_536 });
    const commits = app.run(keeping, until === undefined ? {} : { until });
    await lastValueFrom(commits, { defaultValue: undefined }).finally(() => app.close());
  }

  async function expectEveryResult(records: readonly KafkaRecord<string, string>[]): Promise<void> {
    const rows = new Map<string, string>();
    const expected = records.map(({ key, value }) => {
      const before = rows.get(key) ?? '';
      rows.set(key, value.length >= before.length ? value : before);
      return rows.get(key);
    });
    const found = (await cluster.read(results)).map(({ value }) => value);
    expect(found.length).toBe(expected.length);
    expect(found.findIndex((value, at) => value !== expected[at])).toBe(-1);
  }

  const fullDisk = {
    code: 'STATE_IO',
    retryable: true,
    message: expect.stringMatching(/task-0: .*No space left on device; is the disk full/) as unknown,
  };

  it('while it is flushed to ends the run; with room again the next goes on from the changelog', async () => {
    disk(1);
    const records = some(0, 4_000);
    await cluster.write(texts, records);
    await expect(life()).rejects.toMatchObject(fullDisk);
    disk(64, 'remount');
    records.push(...some(0, 500));
    await cluster.write(texts, some(0, 500));
    await life('caught-up');
    await life('caught-up');
    await expectEveryResult(records);
  });

  it('while a store is restored ends the run; with room again the restore goes on', async () => {
    const records = some(0, 4_000);
    await cluster.write(texts, records);
    await life('caught-up');
    rmSync(directory, { recursive: true });
    directory = mkdtempSync(join(tmpdir(), 'millrace-full-'));
    disk(1);
    records.push(...some(0, 500));
    await cluster.write(texts, some(0, 500));
    await expect(life()).rejects.toMatchObject(fullDisk);
    disk(64, 'remount');
    await life('caught-up');
    await expectEveryResult(records);
  });
});
