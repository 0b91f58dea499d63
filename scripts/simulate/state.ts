import type { MemoryBroker } from '../../src/memory/memory-broker';
import type { Disk } from './disk';
import { committedRecords } from './log';
import { changelog, type Program } from './program';

const HEAD = 3;
const START = 8;
const SEQUENCE = 4;
const JOIN_HEAD = 28;

interface StoreRecord {
  readonly id: number;
  readonly kind: string;
  readonly position: number;
  /** Of the topic it is restored from. */
  readonly topicId: string;
}

type Rows = ReadonlyMap<string, string>;

/**
 * What is on disk is exactly what has been committed to the changelogs below the positions on it: at any moment, also right after a death.
 * An own reading of the folder, its records (JSON under 0x00 ‖ name) and its rows (0x01 ‖ u16 store ‖ …).
 */
export async function stateDifferences(disk: Disk, broker: MemoryBroker, program: Program): Promise<string[]> {
  const differences: string[] = [];
  for (const [folder, entries] of await disk.content()) {
    const task = Number(/task-(\d+)$/.exec(folder)?.[1] ?? NaN);
    if (Number.isNaN(task)) continue;
    for (const [key, value] of entries) {
      // 0x00 0x00: the chain of batches, which says nothing of stores.
      if (key[0] !== 0 || key.length === 1 || key[1] === 0) continue;
      const name = key.toString('utf8', 1);
      const record = JSON.parse(value.toString('utf8')) as StoreRecord;
      // -1: says itself that nothing there may be relied upon.
      if (record.position < 0) continue;
      const topic = sourceOf(name, record, program, broker);
      const what = `${folder}, store ${name}`;
      differences.push(...storeDifferences(what, record, rowsOf(entries, record), { broker, topic, partition: task }));
    }
  }
  return differences;
}

/** Its own changelog, or what it is a table of: that may have changed from one deploy to the next. */
function sourceOf(name: string, { topicId }: StoreRecord, { sources }: Program, broker: MemoryBroker): string {
  const candidates = [changelog(name), ...(sources?.[name] ?? [])];
  return candidates.find((topic) => broker.partition({ topic, partition: 0 })?.topicId === topicId) ?? candidates.at(-1)!;
}

interface Source {
  readonly broker: MemoryBroker;
  readonly topic: string;
  readonly partition: number;
}

function storeDifferences(what: string, { kind, position }: StoreRecord, found: Rows, { broker, topic, partition }: Source): string[] {
  const view = broker.partition({ topic, partition });
  if (view === undefined) return found.size === 0 ? [] : [`${what} has rows, and ${topic} does not exist`];
  if (position > view.highWatermark) return [`${what} is at ${position}, beyond the end of ${topic}-${partition}, ${view.highWatermark}`];
  const expected = new Map<string, string>();
  const decided = broker.transactions().flatMap(({ state, producerId }) => (state === 'preparing commit' ? [producerId] : []));
  for (const { offset, key, value } of committedRecords(view, decided)) {
    if (offset >= position || key === null) continue;
    const row = diskKey(kind, key);
    if (value === null) expected.delete(row);
    else expected.set(row, value.toString('latin1'));
  }
  return [...new Set([...expected.keys(), ...found.keys()])]
    .filter((key) => expected.get(key) !== found.get(key))
    .map((key) => `${what} at ${position}: row ${JSON.stringify(key)} is ${shown(found.get(key))}, not ${shown(expected.get(key))}`);
}

/** A row's time stands before its value, and is not compared here: what writes it is compared by what comes out. */
function rowsOf(entries: readonly (readonly [Buffer, Buffer])[], { id, kind }: StoreRecord): Rows {
  const rows = new Map<string, string>();
  for (const [key, value] of entries) {
    if (key[0] !== 1 || key.readUInt16BE(1) !== id) continue;
    const row = key.toString('latin1', HEAD);
    if (kind === 'join') for (const [tail, inner] of joinRows(value.subarray(8))) rows.set(row + tail, inner);
    else rows.set(row, value.toString('latin1', 8));
  }
  return rows;
}

/** All of a key in one entry: i64 time ‖ i32 side ‖ i32 number ‖ i64 timestamp ‖ i32 length ‖ value; in the changelog one record each. */
function* joinRows(rows: Buffer): Iterable<readonly [tail: string, value: string]> {
  for (let at = 0; at < rows.length;) {
    const end = at + JOIN_HEAD + rows.readInt32BE(at + JOIN_HEAD - 4);
    yield [
      rows.toString('latin1', at, at + START) + rows.toString('latin1', at + 11, at + 16),
      rows.toString('latin1', at + JOIN_HEAD, end),
    ];
    at = end;
  }
}

/** A window store's rows begin with the start of the window, which stands at the end of a changelog's key. */
function diskKey(kind: string, key: Buffer): string {
  if (kind !== 'window') return key.toString('latin1');
  const end = key.length - START - SEQUENCE;
  return key.toString('latin1', end, end + START) + key.toString('latin1', 0, end);
}

function shown(bytes: string | undefined): string {
  return bytes === undefined ? 'not there' : JSON.stringify(bytes);
}
