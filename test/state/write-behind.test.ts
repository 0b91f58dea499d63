import { type Entry, Segment } from '../../src/state/segment';
import { absent, Version } from '../../src/state/version';
import { type Flush, WriteBehind } from '../../src/state/write-behind';

function entryOnDisk(onDisk: boolean): Entry<string, number> {
  const entry = new Segment<string, number>(0, true).create('key', 'key', undefined, 100);
  entry.onDisk = onDisk;
  return entry;
}

const value = (timestamp: number): Version<number> => new Version<number>(timestamp, timestamp);
const tombstone = new Version<number>(absent, 9);

function commit(
  behind: WriteBehind<string, number>,
  entry: Entry<string, number>,
  version: Version<number>,
  encoded?: string,
  bytes = 100,
): void {
  const before = entry.bytes;
  entry.committed = version;
  entry.bytes = bytes;
  behind.add(entry, encoded, before);
}

const encodedOf = (flush: Flush<string, number>): unknown[] => flush.entries.map((_, at) => flush.encoded.get(at));

describe('what is committed and not on disk', () => {
  it('keeps the newest version of each key, at one place', () => {
    const behind = new WriteBehind<string, number>();
    const entry = entryOnDisk(false);
    commit(behind, entry, value(1), 'one');
    commit(behind, entry, value(2), 'two');
    const flush = behind.begin();
    expect([flush.entries, encodedOf(flush), flush.versions]).toEqual([[entry], ['two'], [value(2)]]);
  });

  it('writes what was committed when the flush began', () => {
    const behind = new WriteBehind<string, number>();
    const entry = entryOnDisk(false);
    commit(behind, entry, value(1));
    const flush = behind.begin();
    commit(behind, entry, value(2));
    expect(flush.versions).toEqual([value(1)]);
  });

  it('needs a tombstone for what is on its way to the disk', () => {
    const behind = new WriteBehind<string, number>();
    const entry = entryOnDisk(false);
    commit(behind, entry, value(1));
    const first = behind.begin();
    commit(behind, entry, tombstone);
    behind.done(first);
    expect(behind.begin().versions).toEqual([tombstone]);
  });

  it('needs a tombstone for what is on its way to the disk, when it was committed anew before it was removed', () => {
    const behind = new WriteBehind<string, number>();
    const entry = entryOnDisk(false);
    commit(behind, entry, value(1));
    const first = behind.begin();
    commit(behind, entry, value(2));
    commit(behind, entry, tombstone);
    expect(behind.holds(entry)).toBe(true);
    behind.done(first);
    expect(behind.begin().versions).toEqual([tombstone]);
  });

  it('needs a tombstone for what may be on disk', () => {
    const behind = new WriteBehind<string, number>();
    commit(behind, entryOnDisk(true), tombstone);
    expect(behind.begin().versions).toEqual([tombstone]);
  });

  it('forgets what is gone and never was on disk, and keeps the others', () => {
    const behind = new WriteBehind<string, number>();
    const [first, gone, last] = [entryOnDisk(false), entryOnDisk(false), entryOnDisk(false)];
    commit(behind, first, value(1), 'first');
    commit(behind, gone, value(2), 'gone');
    commit(behind, last, value(3), 'last');
    commit(behind, gone, tombstone);
    expect([first, gone, last].map((entry) => behind.holds(entry))).toEqual([true, false, true]);
    commit(behind, last, value(4), 'renewed');
    const flush = behind.begin();
    expect([flush.entries, encodedOf(flush), flush.versions]).toEqual([
      [first, last],
      ['first', 'renewed'],
      [value(1), value(4)],
    ]);
  });

  it('takes the memory of what waits, no more and no less', () => {
    const behind = new WriteBehind<string, number>();
    const [kept, gone] = [entryOnDisk(false), entryOnDisk(false)];
    commit(behind, kept, value(1), 'a long value');
    commit(behind, kept, value(2), 'short');
    const { bytes } = behind;
    expect(bytes).toBeGreaterThan(100);
    commit(behind, gone, value(1), 'long');
    commit(behind, gone, tombstone, undefined, 50);
    expect(behind.bytes).toBe(bytes);
    commit(behind, kept, tombstone);
    expect([behind.bytes, behind.isEmpty]).toEqual([0, true]);
  });

  it('waits again for what was gone and has come back', () => {
    const behind = new WriteBehind<string, number>();
    const entry = entryOnDisk(false);
    commit(behind, entry, value(1));
    commit(behind, entry, tombstone);
    commit(behind, entry, value(2));
    expect(behind.begin().versions).toEqual([value(2)]);
  });

  it('holds an entry until the flush with its newest version is done', () => {
    const behind = new WriteBehind<string, number>();
    const entry = entryOnDisk(false);
    expect(behind.holds(entry)).toBe(false);
    commit(behind, entry, value(1));
    const first = behind.begin();
    commit(behind, entry, value(2));
    behind.done(first);
    expect(behind.holds(entry)).toBe(true);
    behind.done(behind.begin());
    expect(behind.holds(entry)).toBe(false);
    expect(behind.isEmpty).toBe(true);
  });

  it('takes a flush that failed back, but nothing that was committed anew meanwhile', () => {
    const behind = new WriteBehind<string, number>();
    const [kept, renewed] = [entryOnDisk(false), entryOnDisk(false)];
    commit(behind, kept, value(1), 'kept');
    commit(behind, renewed, value(1), 'old');
    const first = behind.begin();
    commit(behind, renewed, value(2), 'new');
    behind.failed(first);
    expect([kept, renewed].map((entry) => behind.holds(entry))).toEqual([true, true]);
    const again = behind.begin();
    expect(encodedOf(again)).toEqual(['new', 'kept']);
    behind.done(again);
    expect(behind.isEmpty).toBe(true);
  });

  it('overwrites in place what a failed flush has brought back', () => {
    const behind = new WriteBehind<string, number>();
    const entry = entryOnDisk(false);
    commit(behind, entry, value(1), 'one');
    behind.failed(behind.begin());
    commit(behind, entry, value(2), 'two');
    expect(encodedOf(behind.begin())).toEqual(['two']);
  });
});
