/** One changelog that is followed, by answers as the broker gives them. */
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { ChangelogTail } from '../../src/commit/changelog-tail';
import type { MillraceError } from '../../src/errors/millrace-error';
import { positionAfter } from '../../src/kafka/batch-decode';
import type { Fetcher } from '../../src/kafka/fetcher';
import type { AbortedTransaction } from '../../src/kafka/port';
import type { FetchedChunk } from '../../src/kafka/partition-sink';
import { CellTable } from '../../src/state/cells';
import { keyValueStore } from '../../src/state/definition';
import type { KeyValueHandle } from '../../src/state/handle';
import type { Changelog } from '../../src/state/restore';
import type { ReadRow } from '../../src/state/restore-table';
import { openTaskStores, type TaskStores } from '../../src/state/task-stores';
import { FakeDisk } from '../state/fake-disk';
import { scopeOver } from '../state/test-task';
import { openTransaction } from './open-transaction';
import { record } from './programs';
import { World } from './world';

const profiles = topic('profiles', { key: string, value: string });
const AT = { topic: 'profiles', partition: 0 };
const shape = { ...keyValueStore('names', { key: string, value: string }).shape, sourceTopic: 'profiles' };

const rowOf: ReadRow = ({ buffer, keyStart, keyEnd, valueStart, valueEnd, timestamp }) => ({
  key: buffer.subarray(keyStart, keyEnd),
  value: buffer.subarray(valueStart, valueEnd),
  timestamp,
});

let world: World;
let disk: FakeDisk;
let stores: TaskStores;
let asked: string[];
let failures: MillraceError[];

beforeEach(async () => {
  world = new World();
  world.topics({ profiles: 1 });
  disk = new FakeDisk();
  const scope = scopeOver(new CellTable(['names']));
  stores = await openTaskStores({ shapes: [shape], partition: 0, scope, clock: world.clock, openBytes: disk.open, directory: 'names' });
  asked = [];
  failures = [];
});

afterEach(() => world.end());

/** Fetches are noted; what they bring is given by hand. */
const fetcher = {
  add: ({ offset }: { readonly offset: number }) => void asked.push(`from ${String(offset)}`),
  remove: () => void asked.push('no more'),
  pause: () => void asked.push('pause'),
  resume: () => void asked.push('resume'),
} as unknown as Fetcher;

function tailOf(changelog: Pick<Changelog, 'end'> & Partial<Changelog>): ChangelogTail {
  const described = { store: 'names', topic: 'profiles', topicId: '', logStart: 0, tombstoneRetentionMs: Infinity, ...changelog };
  return new ChangelogTail({
    changelog: described,
    partition: 0,
    store: stores.restorable('names'),
    fetcher,
    clock: world.clock,
    ready: () => undefined,
    failed: (reason) => failures.push(reason),
  });
}

/** All that the log has, as one answer: the broker gives a segment at a time. */
async function answer(): Promise<FetchedChunk> {
  const port = world.broker.connect('reader');
  const { topics } = await world.settle(port.metadata(['profiles']));
  const sets: Buffer[] = [];
  const allAborted: AbortedTransaction[] = [];
  for (let next = 0; ;) {
    const partitions = [{ ...AT, offset: next, maxBytes: 1_000_000, leaderEpoch: -1 }];
    const request = { maxWaitMs: 0, minBytes: 0, maxBytes: 1_000_000, readCommitted: true, partitions };
    const [found] = (await world.settle(port.fetch(topics[0]!.partitions[0]!.leader, request, 'standby'))).partitions;
    const { records, aborted, highWatermark, lastStableOffset, logStartOffset } = found!;
    sets.push(records);
    if (allAborted.length === 0) allAborted.push(...aborted);
    next = positionAfter(records, next);
    if (next >= lastStableOffset)
      return { records: Buffer.concat(sets), aborted: allAborted, highWatermark, lastStableOffset, logStartOffset, from: 0, next };
  }
}

async function applied(tail: ChangelogTail): Promise<void> {
  for (let applying = tail.applyNext(); applying !== undefined; applying = tail.applyNext()) await world.settle(applying);
}

/** What the store has for its readers, once nobody writes beneath it. */
async function rows(...keys: readonly string[]): Promise<(string | undefined)[]> {
  const { entries } = stores.restorable('names');
  entries.reset();
  await entries.reload();
  const handle = stores.handle('names') as KeyValueHandle<string, string>;
  return keys.map((key) => handle.get(key));
}

/** `a` at 0, an aborted record at 1, its marker at 2, `b` at 3. */
async function written(): Promise<void> {
  await world.write(profiles, [record('a', 'Ada', 1)]);
  await (await openTransaction(world, AT)).end(false);
  await world.write(profiles, [record('b', 'Bob', 2)]);
}

describe('a table that is followed', () => {
  it('is read as far as is allowed, and no position is ahead of that: neither by records nor by markers behind them', async () => {
    await written();
    const tail = tailOf({ end: 1, rowOf });
    tail.start();
    tail.chunk(await answer());
    await applied(tail);
    expect([tail.position, stores.position('names'), await rows('a', 'b')]).toEqual([1, 1, ['Ada', undefined]]);
    tail.allow(3, 0);
    await applied(tail);
    expect([tail.position, await rows('b')]).toEqual([3, [undefined]]);
    tail.allow(4, 0);
    await applied(tail);
    expect([tail.position, stores.position('names'), await rows('a', 'b')]).toEqual([4, 4, ['Ada', 'Bob']]);
    await tail.stop();
    expect(asked).toEqual(['from 0', 'pause', 'resume', 'no more']);
  });

  it('is never allowed less than before', async () => {
    await written();
    const tail = tailOf({ end: 4, rowOf });
    tail.chunk(await answer());
    tail.allow(1, 0);
    await applied(tail);
    expect([tail.position, tail.lag]).toEqual([4, 0]);
    await tail.stop();
  });
});

describe('a changelog that is followed', () => {
  it('notes on disk where it stands when no record has moved it, but not while something is being written', async () => {
    await written();
    const tail = tailOf({ end: 0, rowOf });
    tail.allow(1, 0);
    tail.chunk(await answer());
    await applied(tail);
    tail.allow(3, 0);
    await applied(tail);
    expect(stores.position('names')).toBe(1);
    await world.settle(tail.note());
    expect(stores.position('names')).toBe(3);
    await tail.stop();
    const again = await openTaskStores({
      shapes: [shape],
      partition: 0,
      scope: scopeOver(new CellTable(['names'])),
      clock: world.clock,
      openBytes: disk.open,
      directory: 'names',
    });
    expect(again.position('names')).toBe(3);
  });

  it('fails once when the disk refuses, and its position is then what disk has', async () => {
    await written();
    const tail = tailOf({ end: 4, rowOf });
    disk.failing = 1;
    tail.chunk(await answer());
    await applied(tail);
    await world.settle(tail.note());
    expect(failures.map(({ code }) => code)).toEqual(['STATE_IO']);
    await tail.stop();
    expect(stores.position('names')).toBe(0);
  });

  it('takes nothing more once it is stopped', async () => {
    await written();
    const tail = tailOf({ end: 4, rowOf });
    tail.chunk(await answer());
    await tail.stop();
    await applied(tail);
    tail.chunk(await answer());
    tail.outOfRange({ requested: 0, logStart: 1, logEnd: 4 });
    await applied(tail);
    expect([tail.position, await rows('a'), failures]).toEqual([0, [undefined], []]);
  });
});
