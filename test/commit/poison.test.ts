/** What a function of the topology throws for is undone per emission: a window's close is one, the record that closed it another. */
import { tap } from 'rxjs';
import { aggregateWithStore, countWithStore, mapValues, to, windowTumbling } from '../../operators';
import type { Topology } from '../../src/task/topology';
import { copied, counts, countingWindows, input, perTenSeconds, record, records, results, windowCounts, windowResults } from './programs';
import { World } from './world';

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 1, results: 1 });
});

afterEach(() => world.end());

const closed = async (): Promise<unknown[]> => (await world.read(windowResults)).map(({ key, value }) => [key.key, key.start, value]);

describe('with the policy skip', () => {
  it('a poisonous window close does not poison the record that caused it', async () => {
    const poisonous: Topology = (task) =>
      countingWindows(task).pipe(
        tap(({ key }) => {
          if ((key as { key: string }).key === 'poison') throw new Error('this one');
        }),
      );
    await world.write(input, [
      record('a', 'v', 0),
      record('poison', 'v', 1),
      record('z', 'v', 2),
      record('a', 'v', 15_000),
      record('a', 'v', 30_000),
    ]);
    const one = world.start(poisonous, { onProcessingError: 'skip' });
    await world.untilCommitted({ input: [5] });
    expect(await closed()).toEqual([
      ['a', 0, 1],
      ['z', 0, 1],
      ['a', 10_000, 1],
    ]);
    expect(one.total('skipped-records-total')).toBe(1);
    expect(one.commits.flatMap(({ tasks }) => tasks.map((task) => task.records))).toEqual([5]);
  });

  it('E3: neither state nor outputs remain of a record that threw after both', async () => {
    const afterwards: Topology = ({ stream, store }) =>
      stream(input).pipe(
        countWithStore(store(counts)),
        tap(({ timestamp }) => {
          if (timestamp % 10 === 3) throw new Error('three');
        }),
        to(results),
      );
    await world.write(input, records('a', 100));
    const one = world.start(afterwards, { onProcessingError: 'skip' });
    await world.untilCommitted({ input: [100] });
    expect((await world.read(results)).map(({ value }) => value)).toEqual(Array.from({ length: 90 }, (_, at) => at + 1));
    expect(one.total('skipped-records-total')).toBe(10);
  });

  it('what was skipped is skipped again after an abort, and counted once', async () => {
    const third: Topology = ({ stream }) =>
      stream(input).pipe(
        mapValues((value) => {
          if (value === 'v3') throw new Error('three');
          return value;
        }),
        to(copied),
      );
    world.fault('addPartitionsToTxn', { kind: 'answer', errorCode: 48 }, undefined, 2);
    await world.write(input, records('a', 6));
    const one = world.start(third, { onProcessingError: 'skip' });
    await world.untilCommitted({ input: [6] });
    expect(one.total('abort-total')).toBe(2);
    expect((await world.read(copied)).map(({ value }) => value)).toEqual(['v0', 'v1', 'v2', 'v4', 'v5']);
    expect(one.total('skipped-records-total')).toBe(1);
  });

  it('a policy that is a function sees topic, partition, offset and error, and decides', async () => {
    const seen: unknown[] = [];
    const odd: Topology = ({ stream }) =>
      stream(input).pipe(
        mapValues((value) => {
          if (value === 'v1' || value === 'v3') throw new Error(value);
          return value;
        }),
        to(copied),
      );
    await world.write(input, records('a', 6));
    const one = world.start(odd, {
      onProcessingError: ({ error, topic, partition, offset }) => {
        seen.push([error.code, topic, partition, offset]);
        return offset === 1 ? 'skip' : 'fail';
      },
    });
    await one.ended();
    expect(one.error).toMatchObject({ code: 'PROCESSING', where: { offset: 3 } });
    expect((await world.read(copied)).map(({ value }) => value)).toEqual(['v0', 'v2']);
    expect(seen).toContainEqual(['PROCESSING', 'input', 0, 1]);
    expect(seen).toContainEqual(['PROCESSING', 'input', 0, 3]);
  });

  it('a task whose state cannot be read fails, whatever the policy: leaving a record out would not help', async () => {
    const { MillraceError } = await import('../../src/errors/millrace-error');
    const broken: Topology = ({ stream }) =>
      stream(input).pipe(
        tap(() => {
          throw new MillraceError('STATE_IO', 'the disk does not answer');
        }),
        to(copied),
      );
    await world.write(input, records('a', 3));
    const one = world.start(broken, { onProcessingError: 'skip' });
    await one.ended();
    expect(one.error?.code).toBe('STATE_IO');
    expect(world.committed('input', 0)?.offset).toBe(0);
  });
});

describe('with the policy fail', () => {
  it('a poisonous window close ends the run at the place where it happened; what came before is committed', async () => {
    const failing: Topology = ({ stream, store }) =>
      stream(input).pipe(
        windowTumbling(perTenSeconds),
        aggregateWithStore(store(windowCounts), { initial: () => 0, add: (n) => n + 1, emit: 'close' }),
        tap(({ key }) => {
          if (key.key === 'poison') throw new Error('this one');
        }),
        to(windowResults),
      );
    await world.write(input, [
      record('a', 'v', 0),
      record('poison', 'v', 1),
      record('z', 'v', 2),
      record('a', 'v', 15_000),
      record('a', 'v', 30_000),
    ]);
    const one = world.start(failing);
    await one.ended();
    await one.close();
    expect(one.error).toMatchObject({ code: 'PROCESSING', where: { topic: 'input', partition: 0, offset: 3, store: 'window-counts' } });
    const before = world.committed('input', 0)?.offset;
    expect(before).toBe(4);
    const again = world.start(failing, { onProcessingError: 'skip' });
    await world.untilCommitted({ input: [5] });
    expect(await closed()).toEqual([
      ['a', 0, 1],
      ['z', 0, 1],
      ['a', 10_000, 1],
    ]);
    expect(again.error).toBeUndefined();
  });
});
