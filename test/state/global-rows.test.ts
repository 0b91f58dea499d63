import { int64, string } from '../../src/codec/primitives';
import { MillraceError } from '../../src/errors/millrace-error';
import type { Codec } from '../../src/model/codec';
import { silentLogger } from '../../src/model/logger';
import { GlobalRows, type GlobalRowsOptions } from '../../src/state/global-rows';
import type { OpenBytes } from '../../src/state/open-bytes';
import { FakeDisk } from './fake-disk';

const options: GlobalRowsOptions = {
  topic: 'products',
  key: string as Codec<unknown>,
  value: string as Codec<unknown>,
  cacheBytes: 10_000,
};
const of = { clusterId: 'cluster', topicId: 'topic', writtenAt: 1 };

const open = (disk: FakeDisk, more: Partial<GlobalRowsOptions> = {}): Promise<GlobalRows> =>
  GlobalRows.open({ ...options, ...more }, 'folder', disk.open, silentLogger);

function put(rows: GlobalRows, key: unknown, value: string, timestamp = 0): void {
  // As it lies in a fetched batch: in the middle of other bytes, which are gone when it is looked up.
  const buffer = Buffer.from(`<<${value}>>`);
  rows.put(key, buffer, 2, buffer.length - 2, timestamp);
  buffer.fill(0);
}

const valuesOf = (rows: GlobalRows, ...keys: readonly unknown[]): unknown[] => keys.map((key) => rows.find(key)?.value);

describe('the rows of a global table', () => {
  it('are those read last, while it is loaded and after', async () => {
    const rows = await open(new FakeDisk());
    rows.begin([0]);
    put(rows, 'a', 'old', 5);
    put(rows, 'b', 'gone');
    put(rows, 'ä', 'größer');
    put(rows, 'a', 'new', 7);
    rows.delete('b');
    rows.hasReadTo(0, 5);
    await rows.flush(of);
    rows.loaded();
    expect(valuesOf(rows, 'a', 'b', 'ä', 'c')).toEqual(['new', undefined, 'größer', undefined]);
    expect(rows.find('a')).toEqual({ value: 'new', timestamp: 7 });
    put(rows, 'a', 'newer');
    rows.delete('ä');
    put(rows, 'c', 'first');
    expect(valuesOf(rows, 'a', 'ä', 'c')).toEqual(['newer', undefined, 'first']);
    await rows.flush(of);
    expect(valuesOf(rows, 'a', 'ä', 'c')).toEqual(['newer', undefined, 'first']);
  });

  it('are found by keys of any codec', async () => {
    const rows = await open(new FakeDisk(), { key: int64 as Codec<unknown> });
    rows.begin([0]);
    put(rows, 7, 'seven');
    await rows.flush(of);
    rows.loaded();
    put(rows, -1, 'minus one');
    expect(valuesOf(rows, 7, -1, 8)).toEqual(['seven', 'minus one', undefined]);
  });

  it('are seen while they are on their way to disk', async () => {
    const disk = new FakeDisk();
    const rows = await open(disk);
    disk.holding = true;
    put(rows, 'a', 'written');
    const flushed = rows.flush(of);
    put(rows, 'b', 'waiting');
    expect(valuesOf(rows, 'a', 'b')).toEqual(['written', 'waiting']);
    disk.holding = false;
    await disk.release();
    await flushed;
    expect(valuesOf(rows, 'a', 'b')).toEqual(['written', 'waiting']);
  });

  it.each([true, false])('are not lost when a write fails: the next one writes them, in order (loading: %s)', async (loading) => {
    const disk = new FakeDisk();
    const rows = await open(disk);
    if (loading) rows.begin([0]);
    disk.failing = 1;
    put(rows, 'a', 'old');
    put(rows, 'b', 'b');
    rows.hasReadTo(0, 2);
    await expect(rows.flush(of)).rejects.toThrow('the disk is full');
    put(rows, 'a', 'new');
    rows.hasReadTo(0, 3);
    await rows.flush(of);
    await rows.close();
    const again = await open(disk);
    expect(valuesOf(again, 'a', 'b')).toEqual(['new', 'b']);
    expect(again.record()).toMatchObject({ ...of, positions: [3] });
  });

  it('reach the disk together with the positions up to which they were read', async () => {
    const disk = new FakeDisk();
    const rows = await open(disk);
    rows.begin([0, 10]);
    put(rows, 'a', 'a');
    rows.hasReadTo(0, 1);
    disk.holding = true;
    void rows.flush(of);
    const again = await open(disk);
    expect([again.record(), again.find('a')]).toEqual([undefined, undefined]);
    disk.holding = false;
    await disk.release();
    const later = await open(disk);
    expect([later.record()?.positions, later.find('a')?.value]).toEqual([[1, 10], 'a']);
  });

  it('are let go of when their disk cannot be read', async () => {
    const disk = new FakeDisk();
    let closed = 0;
    const unreadable: OpenBytes = async (folder) => {
      const bytes = await disk.open(folder);
      const close = bytes.close.bind(bytes);
      bytes.read = () => Promise.reject(new MillraceError('STATE_IO', 'the disk is away', { retryable: true }));
      bytes.close = () => close().then(() => void closed++);
      return bytes;
    };
    await expect(GlobalRows.open(options, 'folder', unreadable, silentLogger)).rejects.toMatchObject({ code: 'STATE_IO' });
    expect(closed).toBe(1);
  });

  it('are forgotten, on disk as well, with what the disk says of itself', async () => {
    const disk = new FakeDisk();
    const rows = await open(disk);
    put(rows, 'a', 'a');
    await rows.flush(of);
    put(rows, 'b', 'b');
    await rows.clear();
    expect([rows.record(), ...valuesOf(rows, 'a', 'b')]).toEqual([undefined, undefined, undefined]);
  });
});
