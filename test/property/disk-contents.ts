import { readInt64 } from '../../src/codec/int64-bytes';
import type { ChangelogModel } from '../state/changelog-model';
import type { TestTask } from '../state/test-task';

/** Entries of one store as text: key, or start and key, in hex. */
export type Rows = ReadonlyMap<string, string>;

/** What the disk of a task holds of a store, by a reading of its layout that shares no code with the stores. */
export async function rowsOnDisk(task: TestTask, store: string): Promise<Rows> {
  const { id, kind } = task.stores.identity(store);
  const prefix = Buffer.from([1, id >> 8, id & 0xff]);
  const to = Buffer.from([1, (id + 1) >> 8, (id + 1) & 0xff]);
  const found = await task.disk.contents.read({ from: prefix, to }, 1_000_000);
  return new Map(
    found.map(([key, value]) => {
      const rest = Buffer.from(key).subarray(3);
      const name = kind === 'window' ? `${readInt64(rest, 0)} ${rest.toString('hex', 8)}` : rest.toString('hex');
      return [name, `${readInt64(value, 0)} ${Buffer.from(value).toString('hex', 8)}`];
    }),
  );
}

/** A plain fold of the committed changelog records below `position`. */
export function foldOf(changelog: ChangelogModel, windowed: boolean, position = Infinity): Rows {
  const rows = new Map<string, string>();
  for (const { key, value, timestamp, offset } of changelog.all()) {
    if (offset >= position) break;
    const bytes = Buffer.from(key);
    const name = windowed ? `${readInt64(bytes, bytes.length - 12)} ${bytes.toString('hex', 0, bytes.length - 12)}` : bytes.toString('hex');
    if (value === null) rows.delete(name);
    else rows.set(name, `${timestamp} ${Buffer.from(value as Uint8Array).toString('hex')}`);
  }
  return rows;
}

export function sortedRows(rows: Rows): [string, string][] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
}
