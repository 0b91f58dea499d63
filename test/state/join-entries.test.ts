import { bytes, float64, int64, string } from '../../src/codec/primitives';
import type { Codec } from '../../src/model/codec';
import type { JoinDefinition, JoinWindows } from '../../src/model/join';
import { runtime } from '../../src/state/handle';
import { joinStore } from '../../src/state/join-definition';
import type { JoinHandle, JoinRuntime } from '../../src/state/join-entries';
import { Joining, LEFT, RIGHT, settledRow, type Side, withRow } from '../../src/state/join-rows';
import { errorWith } from '../operators/errors';
import { TestTask } from './test-task';

const windows = { before: 10, after: 10, grace: 5 };
const pairs = joinStore('pairs', { key: string, left: int64, right: string, windows });

type Value = number | string;

async function started(
  definition: Pick<JoinDefinition<never, never, never>, 'shape'> = pairs,
  options: ConstructorParameters<typeof TestTask>[1] = {},
): Promise<TestTask> {
  const task = new TestTask([definition.shape], options);
  await task.start();
  return task;
}

function storeOf<K = string, V = Value>(task: TestTask): JoinRuntime<K, V> {
  return (task.stores.handle('pairs') as unknown as JoinHandle<K, V, V>)[runtime];
}

/** As a join keeps a record. */
function keep(task: TestTask, key: string, side: Side, time: number, value: Value, waits = false): void {
  const store = storeOf(task);
  const joining = new Joining(side, value, waits);
  store.replace(key, withRow(store.rows(key), time, joining), time);
  store.added(key, time, joining);
}

function shown(task: TestTask, key: string): unknown[] {
  return storeOf(task)
    .rows(key)
    .map(({ start, value: { side, value, waits } }) => [start, side === LEFT ? 'left' : 'right', value, ...(waits ? ['waits'] : [])]);
}

const entriesOf = (task: TestTask, index: 'kept' | 'waiting', side: Side): [string, number][] =>
  [...storeOf(task)[index](side).entries()].map(([identity, time]): [string, number] => [identity, time]).sort();

describe('joinStore', () => {
  it.each<[JoinWindows, string, string]>([
    [{ before: NaN, after: 10 }, 'WINDOW_JOIN', 'the option before is NaN'],
    [{ before: 10, after: 0.5 }, 'WINDOW_JOIN', 'the option after is 0.5'],
    [{ before: -11, after: 10 }, 'WINDOW_JOIN', 'before + after is -1; it must be >= 0'],
    [{ before: 2 ** 53, after: 0 }, 'WINDOW_JOIN', 'the option before is 9007199254740992'],
    [{ before: 2 ** 52, after: 2 ** 52 }, 'WINDOW_JOIN', 'together must be < 2^53 ms'],
    [{ before: 1, after: 1, grace: -1 }, 'WINDOW_GRACE', 'the option grace is -1'],
    [{ before: 1, after: 1, grace: NaN }, 'WINDOW_GRACE', 'the option grace is NaN'],
    [{ before: 1, after: 1, grace: 1.5 }, 'WINDOW_GRACE', 'the option grace is 1.5'],
    [null as unknown as JoinWindows, 'CONFIG', 'the option windows is null'],
    [{ size: 5 } as unknown as JoinWindows, 'CONFIG', 'it must be { before, after, grace }'],
  ])('refuses %p with %s', (given, code, message) => {
    expect(() => joinStore('pairs', { key: string, left: int64, right: string, windows: given })).toThrow(
      errorWith({ code: code as 'WINDOW_JOIN', message, where: expect.objectContaining({ store: 'pairs' }) as never }),
    );
  });

  it.each([
    { before: -5, after: 5 },
    { before: 20, after: -20 },
    { before: 0, after: 0, grace: 0 },
  ])('takes %p', (given) => {
    expect(joinStore('pairs', { key: string, left: int64, right: string, windows: given }).windows).toBe(given);
  });

  it('refuses what is no codec, by its side', () => {
    const left = {} as Codec<number>;
    expect(() => joinStore('pairs', { key: string, left, right: string, windows })).toThrow(
      errorWith({ code: 'CONFIG', message: 'the option left is no codec' }),
    );
  });
});

describe('rows of a join', () => {
  it('lie by time, right before left, then as they came; those of one time are rows of their own', async () => {
    const task = await started();
    keep(task, 'a', LEFT, 5, 1);
    keep(task, 'a', RIGHT, 5, 'x');
    keep(task, 'a', LEFT, 3, 2);
    keep(task, 'a', LEFT, 5, 3);
    keep(task, 'a', RIGHT, 5, 'y');
    expect(shown(task, 'a')).toEqual([
      [3, 'left', 2],
      [5, 'right', 'x'],
      [5, 'right', 'y'],
      [5, 'left', 1],
      [5, 'left', 3],
    ]);
  });

  it('are a changelog record each: key, time, side, number; whether it waits, and the value', async () => {
    const task = await started();
    keep(task, 'k', LEFT, 258, 7, true);
    keep(task, 'k', LEFT, 258, 8);
    keep(task, 'k', RIGHT, 258, 'r');
    task.seal();
    const hex = (part: Uint8Array | string): string => Buffer.from(part).toString('hex');
    const time = '0000000000000102';
    expect(task.sealed.get('pairs')!.map(({ key, value, timestamp }) => [hex(key), hex(value!), timestamp])).toEqual([
      [`6b${time}00${'00000000'}`, `00${hex('r')}`, 258],
      [`6b${time}01${'00000000'}`, `03${hex(int64.encode(7))}`, 258],
      [`6b${time}01${'00000001'}`, `01${hex(int64.encode(8))}`, 258],
    ]);
  });

  it('are written again when they wait no longer, and others are left alone', async () => {
    const task = await started();
    keep(task, 'a', LEFT, 5, 1, true);
    keep(task, 'a', LEFT, 6, 2, true);
    task.commit();
    const [first, second] = storeOf(task).rows('a');
    storeOf(task).replace('a', [settledRow(first!), second!], 7);
    task.seal();
    expect(task.sealed.get('pairs')).toHaveLength(1);
    task.committed();
    await task.crash();
    expect(shown(task, 'a')).toEqual([
      [5, 'left', 1],
      [6, 'left', 2, 'waits'],
    ]);
  });

  it('are there again after a restart: from disk, from the changelog, and in part from each', async () => {
    const task = await started();
    keep(task, 'a', LEFT, 5, 1, true);
    keep(task, 'b', RIGHT, 6, 'x');
    task.commit();
    await task.stores.flush();
    keep(task, 'a', RIGHT, 4, 'y', true);
    storeOf(task).replace('b', [], 9);
    task.commit();
    await task.crash();
    expect(shown(task, 'a')).toEqual([
      [4, 'right', 'y', 'waits'],
      [5, 'left', 1, 'waits'],
    ]);
    expect(shown(task, 'b')).toEqual([]);
  });

  it('of a key whose bytes go on like another key lie apart', async () => {
    const task = await started(joinStore('pairs', { key: bytes, left: int64, right: int64, windows }));
    const store = () => storeOf<Uint8Array, number>(task);
    const short = Buffer.from('61', 'hex');
    const longer = Buffer.from(`61${'00'.repeat(8)}0100000000`, 'hex');
    store().replace(short, withRow([], 0, new Joining(LEFT, 1, false)), 0);
    store().replace(longer, withRow([], 0, new Joining(LEFT, 2, false)), 0);
    task.commit();
    await task.crash();
    expect([short, longer].map((key) => store().rows(key)[0]?.value.value)).toEqual([1, 2]);
  });

  it('go back to what was with each layer that is dropped', async () => {
    const task = await started();
    keep(task, 'a', LEFT, 1, 1);
    task.commit();
    keep(task, 'a', LEFT, 2, 2);
    task.seal();
    keep(task, 'a', LEFT, 3, 3);
    task.stores.checkpoint();
    keep(task, 'a', LEFT, 4, 4);
    task.stores.rollback();
    expect(shown(task, 'a').map((row) => (row as number[])[0])).toEqual([1, 2, 3]);
    task.abort();
    expect(shown(task, 'a')).toEqual([[1, 'left', 1]]);
  });

  it('are read from disk again when the cache has let them go', async () => {
    const task = await started(pairs, { cacheBytes: 1 });
    for (const key of ['a', 'b', 'c']) keep(task, key, RIGHT, 5, key, true);
    task.commit();
    await task.stores.flush();
    await task.stores.flush();
    const { gets } = task.disk;
    expect(shown(task, 'a')).toEqual([[5, 'right', 'a', 'waits']]);
    expect(task.disk.gets).toBe(gets + 1);
  });

  it('fail where they are kept when a value does not encode, if that is asked for', async () => {
    const task = await started(joinStore('pairs', { key: string, left: float64, right: int64, windows }), { freeze: true });
    expect(() => keep(task, 'a', RIGHT, 5, 0.5)).toThrow(errorWith({ code: 'ENCODE', where: { store: 'pairs' } }));
  });
});

describe('what is due in a join', () => {
  it('is by side each key at its first row, and at its first row that waits', async () => {
    const task = await started();
    storeOf(task).waiting(LEFT);
    storeOf(task).waiting(RIGHT);
    keep(task, 'a', LEFT, 5, 1);
    keep(task, 'a', LEFT, 7, 1, true);
    keep(task, 'a', RIGHT, 6, 'x', true);
    keep(task, 'b', LEFT, 3, 1, true);
    expect(entriesOf(task, 'kept', RIGHT)).toEqual([['a', 6]]);
    expect(entriesOf(task, 'waiting', LEFT)).toEqual([
      ['a', 7],
      ['b', 3],
    ]);
    expect(entriesOf(task, 'waiting', RIGHT)).toEqual([['a', 6]]);
    expect(storeOf(task).kept(LEFT).earliest).toBe(3);
  });

  it('is no later after a restart', async () => {
    const task = await started();
    keep(task, 'a', LEFT, 5, 1, true);
    keep(task, 'a', RIGHT, 7, 'x', true);
    keep(task, 'b', RIGHT, 9, 'x', true);
    task.commit();
    await task.crash();
    for (const index of ['kept', 'waiting'] as const) {
      expect(new Map(entriesOf(task, index, LEFT)).get('a')).toBeLessThanOrEqual(5);
      expect(new Map(entriesOf(task, index, RIGHT)).get('a')).toBeLessThanOrEqual(7);
      expect(new Map(entriesOf(task, index, RIGHT)).get('b')).toBeLessThanOrEqual(9);
    }
  });

  it('comes back when what was done about it is undone', async () => {
    const task = await started();
    storeOf(task).waiting(LEFT);
    keep(task, 'a', LEFT, 5, 1, true);
    keep(task, 'a', RIGHT, 6, 'x');
    task.commit();
    storeOf(task).waiting(LEFT).take();
    storeOf(task).kept(LEFT).take();
    storeOf(task).kept(RIGHT).take();
    storeOf(task).replace('a', [], 30);
    expect(storeOf(task).waiting(LEFT).earliest).toBe(Infinity);
    task.stores.rollback();
    expect(storeOf(task).waiting(LEFT).earliest).toBe(5);
    expect(storeOf(task).kept(LEFT).earliest).toBe(5);
    expect(storeOf(task).kept(RIGHT).earliest).toBe(6);
  });
});
