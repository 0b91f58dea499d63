import { bytes, int64, string } from '../../src/codec/primitives';
import type { Codec } from '../../src/model/codec';
import type { SessionDefinition, WindowDefinition } from '../../src/model/store-definition';
import { Counted } from '../../src/state/counted';
import { sessionStore, windowStore } from '../../src/state/definition';
import type { CountedWindowHandle, RowRuntime, RowWindowHandle, SessionHandle } from '../../src/state/handle';
import { runtime } from '../../src/state/handle';
import { Row } from '../../src/state/rows';
import { hex, keyVectors } from '../codec/kafka-streams-keys';
import { TestTask } from './test-task';

const sessions = sessionStore('visits', { key: string, value: int64, windows: { gap: 10, grace: 5 } });
const sliding = windowStore('averages', { key: string, value: int64, windows: { difference: 10, grace: 5 } });
const counted = windowStore('tens', { key: string, value: int64, windows: { records: 10, every: 5 } });
const lists: Codec<readonly number[]> = {
  encode: (values) => JSON.stringify(values),
  decode: (encoded) => ({ _tag: 'Right', right: JSON.parse(Buffer.from(encoded).toString()) as number[] }),
};

type Definition = Pick<SessionDefinition<unknown, unknown> | WindowDefinition<unknown, unknown>, 'shape'>;

async function started(definition: Definition, options: ConstructorParameters<typeof TestTask>[1] = {}): Promise<TestTask> {
  const task = new TestTask([definition.shape], options);
  await task.start();
  return task;
}

const visits = (task: TestTask): RowRuntime<string, number> => task.rows('visits');

/** A session [start, end]. */
const session = (start: number, end: number, value = 1): Row<number> => new Row(start, end, value, end);

function shown(task: TestTask, key: string): unknown[] {
  return visits(task)
    .rows(key)
    .map(({ start, end, value, timestamp }) => [start, end, value, timestamp]);
}

/** What the last seal appended: key and value in hex. */
function appended(task: TestTask, store: string): [string, string | null][] {
  return (task.sealed.get(store) ?? []).map(({ key, value }) => [hex(key), value === null ? null : hex(value)]);
}

const long = (value: number): string => hex(int64.encode(value));
const keyHex = (key: string, end: number, start: number): string => Buffer.from(key).toString('hex') + long(end) + long(start);

describe('the changelog of a store whose windows belong to their key', () => {
  it('names sessions as the JVM does: key, end, start', async () => {
    const pairs = keyVectors.sessionKeys.filter(({ start, end }) => [start, end].every((time) => Number.isSafeInteger(Number(time))));
    expect(pairs.length).toBeGreaterThan(10);
    for (const { key, start, end, storeKeyHex } of pairs) {
      const task = await started(sessions);
      visits(task).replace(key, [session(Number(start), Number(end), 7)], 3);
      task.seal();
      expect(appended(task, 'visits')).toEqual([[storeKeyHex, long(7)]]);
    }
  });

  it('names windows as the JVM does: key, start, sequence 0', async () => {
    const pairs = keyVectors.windowedKeys.filter(({ start }) => Number.isSafeInteger(Number(start)));
    expect(pairs.length).toBeGreaterThan(10);
    for (const { key, start, storeKeyHexBySeq } of pairs) {
      const task = await started(sliding);
      task.rows<string, number>('averages').replace(key, [new Row(Number(start), Number(start) + 10, 7, 3)], 3);
      task.seal();
      expect(appended(task, 'averages')).toEqual([[storeKeyHexBySeq['0'], long(7)]]);
    }
  });

  it('says of a commit what is gone and what is new, once, and nothing of rows that were left alone', async () => {
    const task = await started(sessions);
    const kept = session(40, 50, 4);
    visits(task).replace('a', [session(0, 5, 1), session(20, 25, 2), kept], 50);
    task.commit();
    visits(task).replace('a', [session(0, 25, 3), kept], 51);
    visits(task).replace('a', [session(0, 26, 9), kept], 52);
    task.seal();
    expect(appended(task, 'visits')).toEqual([
      [keyHex('a', 5, 0), null],
      [keyHex('a', 25, 20), null],
      [keyHex('a', 26, 0), long(9)],
    ]);
  });

  it('carries the time of each row, and of the removal', async () => {
    const task = await started(sessions);
    visits(task).replace('a', [session(0, 5), session(20, 25)], 7);
    task.commit();
    visits(task).replace('a', [], 99);
    task.seal();
    expect([...task.changelogs[0]!.all()].map(({ timestamp }) => timestamp)).toEqual([5, 25]);
    expect(task.sealed.get('visits')!.map(({ timestamp, value }) => [timestamp, value])).toEqual([
      [99, null],
      [99, null],
    ]);
  });

  it('says nothing of rows made and removed between two commits', async () => {
    const task = await started(sessions);
    visits(task).replace('a', [session(0, 5)], 5);
    visits(task).replace('a', [], 6);
    task.seal();
    expect(appended(task, 'visits')).toEqual([]);
  });

  it('says what was sealed, though the value was changed in place afterwards, and so does the disk', async () => {
    const definition = sessionStore('visits', { key: string, value: lists, windows: { gap: 10 } });
    const task = await started(definition);
    const value = [1];
    task.rows<string, readonly number[]>('visits').replace('a', [new Row<readonly number[]>(0, 5, value, 5)], 5);
    task.seal();
    value.push(2);
    task.committed();
    await task.stores.flush();
    await task.crash();
    expect(task.rows<string, number[]>('visits').rows('a')[0]?.value).toEqual([1]);
  });
});

describe('rows of a key', () => {
  it('are there again after a restart: from disk, from the changelog, and in part from each', async () => {
    const task = await started(sessions);
    visits(task).replace('a', [session(0, 5, 1), session(20, 25, 2)], 25);
    visits(task).replace('b', [session(3, 4, 7)], 4);
    task.commit();
    await task.stores.flush();
    visits(task).replace('a', [session(0, 25, 3), session(40, 41, 4)], 41);
    visits(task).replace('b', [], 42);
    task.commit();
    await task.crash();
    expect([shown(task, 'a'), shown(task, 'b')]).toEqual([
      [
        [0, 25, 3, 25],
        [40, 41, 4, 41],
      ],
      [],
    ]);
    task.metadata = '';
    await task.crash();
    expect(visits(task).invisibleUpTo).toBe(41 - 16);
  });

  it('are restored in pieces as they are in one', async () => {
    const task = await started(sessions, { flushBytes: 1e9 });
    for (let i = 0; i < 50; i++) {
      const rows = visits(task).rows('a');
      const added = session(100 * i, 100 * i + 5, i);
      visits(task).replace('a', i % 7 === 6 ? [...rows.slice(3), added] : [...rows, added], i);
      task.commit();
    }
    const before = shown(task, 'a');
    expect(before.length).toBeGreaterThan(10);
    await task.crash();
    expect(shown(task, 'a')).toEqual(before);
  });

  it('of a key whose bytes go on like another key lie apart', async () => {
    const definition = sessionStore('visits', { key: bytes, value: int64, windows: { gap: 10 } });
    const task = await started(definition);
    const store = () => task.rows<Uint8Array, number>('visits');
    const short = Buffer.from('61', 'hex');
    const longer = Buffer.from(`61${long(5)}${long(0)}`, 'hex');
    store().replace(short, [session(0, 5, 1)], 5);
    store().replace(longer, [session(0, 5, 2)], 5);
    task.commit();
    await task.crash();
    expect([store().rows(short)[0]?.value, store().rows(longer)[0]?.value]).toEqual([1, 2]);
  });

  it('go back to what was with each layer that is dropped', async () => {
    const task = await started(sessions);
    visits(task).replace('a', [session(0, 1)], 1);
    task.commit();
    visits(task).replace('a', [session(0, 2)], 2);
    task.seal();
    visits(task).replace('a', [session(0, 3)], 3);
    task.stores.checkpoint();
    visits(task).replace('a', [session(0, 4)], 4);
    task.stores.rollback();
    expect(shown(task, 'a')).toEqual([[0, 3, 1, 3]]);
    task.abort();
    expect(shown(task, 'a')).toEqual([[0, 1, 1, 1]]);
  });

  it('are read from disk again when the cache has let them go, and untouched rows are not written again', async () => {
    const task = await started(sessions, { cacheBytes: 1 });
    for (const key of ['a', 'b', 'c']) visits(task).replace(key, [session(0, 5, 1), session(20, 25, 2)], 25);
    task.commit();
    await task.stores.flush();
    await task.stores.flush();
    const { gets } = task.disk;
    const [first, second] = visits(task).rows('a');
    expect(task.disk.gets).toBe(gets + 1);
    visits(task).replace('a', [first!, session(20, 26, 3)], 26);
    expect(second?.value).toBe(2);
    task.seal();
    expect(appended(task, 'visits')).toEqual([
      [keyHex('a', 25, 20), null],
      [keyHex('a', 26, 20), long(3)],
    ]);
  });

  it('may be frozen: what was read from disk can be written again', async () => {
    const task = await started(sessions, { freeze: true });
    visits(task).replace('a', [session(0, 5, 1)], 5);
    task.commit();
    await task.stores.flush();
    await task.crash();
    visits(task).replace('a', [...visits(task).rows('a'), session(20, 25, 2)], 25);
    task.commit();
    await task.crash();
    expect(shown(task, 'a')).toEqual([
      [0, 5, 1, 5],
      [20, 25, 2, 25],
    ]);
  });

  it('fail where they are made when a value does not encode, if that is asked for', async () => {
    const task = await started(sessions, { freeze: true });
    expect(() => visits(task).replace('a', [session(0, 5, 0.5)], 5)).toThrow(expect.objectContaining({ code: 'ENCODE' }) as Error);
  });
});

describe('what is due', () => {
  const duesOf = (task: TestTask): [string, number][] => [...visits(task).due!.entries()] as [string, number][];

  it('is each key at its first row, after a restart too', async () => {
    const task = await started(sessions);
    visits(task).replace('a', [session(3, 7), session(20, 25)], 25);
    visits(task).replace('b', [session(0, 1)], 1);
    task.commit();
    await task.crash();
    expect(duesOf(task).sort()).toEqual([
      ['a', 7],
      ['b', 1],
    ]);
  });

  it('comes back when the removal of rows is undone', async () => {
    const task = await started(sessions);
    visits(task).replace('a', [session(3, 7), session(20, 25)], 25);
    task.commit();
    const taken = visits(task).due!.take()!;
    visits(task).due!.add(taken, 25);
    visits(task).replace(taken, visits(task).rowsOf(taken).slice(1), 30);
    expect(visits(task).due!.earliest).toBe(25);
    task.stores.rollback();
    expect(visits(task).due!.earliest).toBe(7);
  });

  it('to be closed begins with what every key has, and leaves out what its user has closed', async () => {
    const task = await started(sessions);
    visits(task).replace('a', [session(3, 7), session(20, 25)], 25);
    const index = visits(task).closingIndex();
    expect([...index.entries()]).toEqual([['a', 7]]);
    index.take();
    index.openFrom = 8;
    visits(task).replace('a', [...visits(task).rows('a'), session(30, 31)], 31);
    expect([...index.entries()]).toEqual([['a', 25]]);
    task.stores.rollback();
    expect(index.earliest).toBe(7);
  });

  it('is nothing for windows that count records', async () => {
    const task = await started(counted);
    task.rows<string, Counted<number>>('tens').replace('a', [new Row(0, 10, new Counted(3, 7), 5)], 5);
    expect(task.rows('tens').due).toBeUndefined();
    expect(task.rows('tens').invisibleUpTo).toBe(-Infinity);
  });
});

describe('visibility', () => {
  it('goes by the greatest time written, a null included, less the retention', async () => {
    const task = await started(sessions);
    expect(visits(task).invisibleUpTo).toBe(-Infinity);
    visits(task).replace('a', [session(0, 20)], 20);
    visits(task).replace('b', [session(0, 3)], 3);
    expect(visits(task).invisibleUpTo).toBe(20 - 16);
    visits(task).wrote(40);
    expect(visits(task).invisibleUpTo).toBe(40 - 16);
    task.commit();
    await task.crash();
    expect(visits(task).invisibleUpTo).toBe(40 - 16);
  });
});

describe('handles', () => {
  it('of sessions find those that are seen and overlap, by end, then start', async () => {
    const task = await started(sessions);
    const handle = task.stores.handle('visits') as unknown as SessionHandle<string, number>;
    for (const [start, end] of [
      [30, 35],
      [0, 9],
      [20, 35],
      [10, 19],
    ] as const) {
      handle.put('a', { start, end }, end - start);
    }
    expect(handle.find('a', 0, 100)).toEqual([
      [{ start: 20, end: 35 }, 15],
      [{ start: 30, end: 35 }, 5],
    ]);
    expect(handle.find('a', 36, 100)).toEqual([]);
    expect(handle.find('a', 0, 29)).toEqual([[{ start: 20, end: 35 }, 15]]);
    handle.put('a', { start: 20, end: 35 }, null as unknown as number);
    expect(handle.find('a', 0, 100)).toEqual([[{ start: 30, end: 35 }, 5]]);
  });

  it('of sliding windows get by start what is seen', async () => {
    const task = await started(sliding);
    const handle = task.stores.handle('averages') as unknown as RowWindowHandle<string, number>;
    handle.put('a', { start: 0, end: 10 }, 1);
    handle.put('a', { start: 25, end: 35 }, 2);
    expect([handle.get('a', 0), handle.get('a', 25), handle.get('a', 26)]).toEqual([undefined, 2, undefined]);
  });

  it('of counted windows get the aggregate alone', async () => {
    const task = await started(counted);
    const handle = task.stores.handle('tens') as unknown as CountedWindowHandle<string, number>;
    handle[runtime].replace('a', [new Row(0, 10, new Counted(3, 7), 5), new Row(5, 15, new Counted<number>(2, null), 5)], 5);
    task.commit();
    await task.crash();
    const again = task.stores.handle('tens') as unknown as CountedWindowHandle<string, number>;
    expect([again.get('a', 0), again.get('a', 5), again.get('a', 10)]).toEqual([7, undefined, undefined]);
    expect(again[runtime].rows('a').map(({ value }) => value.records)).toEqual([3, 2]);
    again.put('a', { start: 0, end: 10 }, 8);
    expect(again[runtime].rows('a')[0]?.value).toEqual(new Counted(3, 8));
  });
});
