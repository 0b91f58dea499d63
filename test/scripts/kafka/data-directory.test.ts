import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimDataDirectory, layOutDataDirectory } from '../../../scripts/kafka/data-directory';
import type { ExclusiveLock } from '../../../scripts/kafka/exclusive-lock';

const node = { id: 1, port: 9092, controllerPort: 9093 };
let root: string;
let directory: string;
let claimed: ExclusiveLock[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-data-directory-'));
  directory = join(root, 'data');
  claimed = [];
  writeFileSync(join(root, 'bootstrap.checkpoint'), 'features');
  writeFileSync(join(root, 'log4j2.properties'), 'status=error');
});

afterEach(async () => {
  for (const lock of claimed) await lock.release();
  rmSync(root, { recursive: true });
});

async function claim(): Promise<ExclusiveLock> {
  const lock = await claimDataDirectory(directory);
  claimed.push(lock);
  return lock;
}

function layOut(keep: boolean): Promise<string> {
  const files = { bootstrapCheckpoint: join(root, 'bootstrap.checkpoint'), log4jFile: join(root, 'log4j2.properties') };
  return layOutDataDirectory(directory, { nodes: [node], keep, ...files });
}

const read = (file: string): string => readFileSync(join(directory, file), 'utf8');

describe('a data directory', () => {
  it('is formatted for its node and its cluster', async () => {
    await claim();
    const clusterId = await layOut(false);
    expect(Buffer.from(clusterId, 'base64url')).toHaveLength(16);
    expect(read('broker-1/meta.properties')).toContain(`cluster.id=${clusterId}\nnode.id=1\n`);
    expect(read('broker-1/bootstrap.checkpoint')).toBe('features');
    expect(read('broker-1.properties')).toContain('log.dirs=broker-1\n');
  });

  it('is emptied by a start without keep, and holds another cluster then', async () => {
    await claim();
    const first = await layOut(false);
    writeFileSync(join(directory, 'broker-1', 'records'), 'old');
    const second = await layOut(false);
    expect(second).not.toBe(first);
    expect(existsSync(join(directory, 'broker-1', 'records'))).toBe(false);
  });

  it('is left as it is by a start with keep', async () => {
    await claim();
    const first = await layOut(true);
    const meta = read('broker-1/meta.properties');
    writeFileSync(join(directory, 'broker-1', 'records'), 'old');
    await expect(layOut(true)).resolves.toBe(first);
    expect(read('broker-1/records')).toBe('old');
    expect(read('broker-1/meta.properties')).toBe(meta);
  });

  it("that holds somebody else's files is not touched", async () => {
    directory = root;
    await expect(claimDataDirectory(root)).rejects.toMatchObject({
      code: 'DATA_DIRECTORY_FOREIGN',
      message: expect.stringContaining(root) as unknown,
    });
    expect(existsSync(join(root, 'lock'))).toBe(false);
  });

  it('belongs to one start at a time', async () => {
    const lock = await claim();
    await expect(claimDataDirectory(directory)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_IN_USE' });
    await lock.release();
    await expect(claim()).resolves.toBeDefined();
  });

  it('is ours again after a crash at any moment of its first layout', async () => {
    await claim().then((lock) => lock.release());
    writeFileSync(join(directory, 'cluster-id.unfinished'), '');
    await claim();
    await expect(layOut(true)).resolves.toMatch(/^[\w-]{22}$/);
  });

  it('forgets the pid of a broker that is no more', async () => {
    await claim().then((lock) => lock.release());
    writeFileSync(join(directory, 'cluster-id'), 'x');
    // This process is alive, and is no broker: a number that was given out again.
    writeFileSync(join(directory, 'broker-1.pid'), `${process.pid}\n`);
    if (!existsSync('/proc/self')) rmSync(join(directory, 'broker-1.pid'));
    await expect(claim()).resolves.toBeDefined();
  });
});
