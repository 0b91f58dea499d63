import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { openLevelBytes } from '../../src/level/level-bytes';
import { GuardedBytes } from '../../src/state/guarded-bytes';
import { OrderedMemory } from '../../src/state/ordered-memory';
import type { BytesOperation, OrderedBytes } from '../../src/state/port';
import { systemClock } from '../../src/time/system-clock';
import { FakeDisk } from './fake-disk';
import { removeTemporaryDirectories, temporaryDirectory } from './temporary-directory';

afterAll(removeTemporaryDirectories);

const put = (key: string): BytesOperation => ({ type: 'put', key: Buffer.from(key), value: Buffer.from('v') });
const over = async (bytes: OrderedBytes): Promise<{ readonly bytes: GuardedBytes; readonly problem: string | undefined }> => {
  const guarded = new GuardedBytes(bytes);
  return { bytes: guarded, problem: await guarded.begin() };
};

/** What some of the batches leave behind: a damaged log is read on behind the damage. */
async function leftBy(batches: readonly (readonly BytesOperation[])[], isThere: (at: number) => boolean): Promise<string | undefined> {
  const disk = new OrderedMemory();
  for (const [at, batch] of batches.entries()) if (isThere(at)) await disk.write(batch);
  return (await over(disk)).problem;
}

/** `count` batches as they reach the disk, so many of them handed over before the first of these is there. */
async function written(count: number, atOnce: number): Promise<BytesOperation[][]> {
  const batches: BytesOperation[][] = [];
  const disk = new OrderedMemory();
  const write = disk.write.bind(disk);
  disk.write = (operations) => {
    batches.push([...operations]);
    return write(operations);
  };
  const { bytes } = await over(disk);
  for (let at = 0; at < count; at += atOnce) {
    await Promise.all(Array.from({ length: Math.min(atOnce, count - at) }, (_, more) => bytes.write([put(`k${at + more}`)])));
  }
  return batches;
}

describe('guarded bytes', () => {
  it.each([1, 2, 3, 8])('notice that batches are missing before later ones, and nothing else: %d under way at once', async (atOnce) => {
    const batches = await written(8, atOnce);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(7)), async (missing) => {
        const lost = new Set(missing);
        const problem = await leftBy(batches, (at) => !lost.has(at));
        // Without the last ones it is an earlier state, whole.
        const isWhole = [...lost].every((at) => at >= 8 - lost.size);
        expect(problem === undefined).toBe(isWhole);
      }),
    );
  });

  it('are whole after batches that were refused and written again, also when several were under way', async () => {
    const disk = new FakeDisk();
    const { bytes } = await over(await disk.open('folder'));
    await bytes.write([put('a')]);
    disk.failing = 1;
    const refused = [put('b'), put('c'), put('d')].map((operation) => bytes.write([operation]));
    expect((await Promise.allSettled(refused)).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await Promise.all([bytes.write([put('b')]), bytes.write([put('c')])]);
    expect((await over(await disk.open('folder'))).problem).toBeUndefined();
    await bytes.write([put('d')]);
    const again = await over(await disk.open('folder'));
    expect(again.problem).toBeUndefined();
    await again.bytes.write([put('e')]);
    expect((await over(await disk.open('folder'))).problem).toBeUndefined();
  });

  it('notice what is missing after some were refused', async () => {
    const batches: BytesOperation[][] = [];
    const disk = new FakeDisk();
    const opened = await disk.open('folder');
    const { bytes } = await over(opened);
    const write = opened.write.bind(opened);
    opened.write = (operations) =>
      write(operations).then(() => {
        batches.push([...operations]);
      });
    await bytes.write([put('a')]);
    disk.failing = 1;
    await Promise.allSettled(['b', 'c', 'd'].map((key) => bytes.write([put(key)])));
    await Promise.all(['e', 'f', 'g'].map((key) => bytes.write([put(key)])));
    expect(batches).toHaveLength(4);
    for (const missing of [0, 1, 2]) expect(await leftBy(batches, (at) => at !== missing)).toBeDefined();
    for (const left of [1, 2, 3, 4]) expect(await leftBy(batches, (at) => at < left)).toBeUndefined();
  });

  it('notice that what was cleared is back', async () => {
    const disk = new OrderedMemory();
    const batches: BytesOperation[][] = [];
    const write = disk.write.bind(disk);
    disk.write = (operations) => {
      batches.push([...operations]);
      return write(operations);
    };
    const { bytes } = await over(disk);
    await bytes.write([put('a'), put('b'), put('c')]);
    await bytes.clear({ from: Buffer.from('a'), to: Buffer.from('c') });
    await bytes.write([put('d')]);
    expect(['a', 'b', 'c', 'd'].map((key) => bytes.get(Buffer.from(key)) !== undefined)).toEqual([false, false, true, true]);
    expect(await leftBy(batches, (at) => at !== 1)).toContain('are missing among later ones');
  });

  it('take what was written before there were links', async () => {
    const disk = new OrderedMemory();
    await disk.write([put('old')]);
    const { bytes, problem } = await over(disk);
    expect(problem).toBeUndefined();
    await bytes.write([put('new')]);
    expect((await over(disk)).problem).toBeUndefined();
  });
});

describe('guarded bytes of LevelDB', () => {
  const opened = (folder: string): Promise<OrderedBytes> => openLevelBytes(folder, { clock: systemClock });

  it('notice a batch that is passed over because a byte of the log has changed', async () => {
    const folder = await temporaryDirectory();
    const before = await over(await opened(folder));
    const value = Buffer.alloc(1_000, 7);
    for (let at = 0; at < 60; at++) {
      await before.bytes.write(Array.from({ length: 20 }, (_, i) => ({ type: 'put', key: Buffer.from(`k${at}-${i}`), value })));
    }
    await before.bytes.close();
    const [log] = (await readdir(folder)).filter((name) => name.endsWith('.log')).map((name) => join(folder, name));
    const bytes = await readFile(log!);
    bytes[500_000]! ^= 0x40;
    await writeFile(log!, bytes);
    const after = await over(await opened(folder));
    expect(after.bytes.get(Buffer.from('k59-0'))).toBeDefined();
    expect(after.problem).toContain('are missing among later ones');
    await after.bytes.close();
  });
});
