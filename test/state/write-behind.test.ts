import { absent, Version } from '../../src/state/version';
import { type Entry, Segment } from '../../src/state/segment';
import { WriteBehind } from '../../src/state/write-behind';

const KEY = Buffer.from('key');

function entryOnDisk(onDisk: boolean): Entry<string, number> {
  const entry = new Segment<string, number>(0, true).create('key', 'key', undefined, 100);
  entry.onDisk = onDisk;
  return entry;
}

const value = (timestamp: number): Version<number> => new Version<number>(timestamp, timestamp);
const tombstone = new Version<number>(absent, 9);

describe('what is committed and not on disk', () => {
  it('keeps the newest version of each key, at one place', () => {
    const behind = new WriteBehind<string, number>();
    const entry = entryOnDisk(false);
    behind.add(entry, value(1), KEY, 'one');
    behind.add(entry, value(2), KEY, 'two');
    const flush = behind.begin();
    expect([flush.values, flush.timestamps]).toEqual([['two'], [2]]);
  });

  it('needs a tombstone for what is on its way to the disk', () => {
    const behind = new WriteBehind<string, number>();
    const entry = entryOnDisk(false);
    behind.add(entry, value(1), KEY, 'one');
    const first = behind.begin();
    behind.add(entry, tombstone, KEY, null);
    behind.done(first);
    expect(behind.begin().values).toEqual([null]);
  });

  it('holds an entry until the flush with its newest version is done', () => {
    const behind = new WriteBehind<string, number>();
    const entry = entryOnDisk(false);
    expect(behind.holds(entry)).toBe(false);
    behind.add(entry, value(1), KEY, 'one');
    const first = behind.begin();
    behind.add(entry, value(2), KEY, 'two');
    behind.done(first);
    expect(behind.holds(entry)).toBe(true);
    behind.done(behind.begin());
    expect(behind.holds(entry)).toBe(false);
    expect(behind.isEmpty).toBe(true);
  });

  it('takes a flush that failed back, but nothing that was committed anew meanwhile', () => {
    const behind = new WriteBehind<string, number>();
    const [kept, renewed] = [entryOnDisk(false), entryOnDisk(false)];
    behind.add(kept, value(1), KEY, 'kept');
    behind.add(renewed, value(1), KEY, 'old');
    const first = behind.begin();
    behind.add(renewed, value(2), KEY, 'new');
    behind.failed(first);
    expect([kept, renewed].map((entry) => behind.holds(entry))).toEqual([true, true]);
    const again = behind.begin();
    expect(again.values).toEqual(['new', 'kept']);
    behind.done(again);
    expect(behind.isEmpty).toBe(true);
  });

  it('overwrites in place what a failed flush has brought back', () => {
    const behind = new WriteBehind<string, number>();
    const entry = entryOnDisk(false);
    behind.add(entry, value(1), KEY, 'one');
    behind.failed(behind.begin());
    behind.add(entry, value(2), KEY, 'two');
    expect(behind.begin().values).toEqual(['two']);
  });
});
