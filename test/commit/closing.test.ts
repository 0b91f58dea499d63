/** Every way to end leaves nothing behind: no timer, no member of the group, no open store, no open transaction. */
import { catchError, concatMap, defer, EMPTY, tap } from 'rxjs';
import { to } from '../../operators';
import type { Topology } from '../../src/task/topology';
import { MillraceError } from '../../src/errors/millrace-error';
import type { OpenBytes } from '../../src/state/open-bytes';
import { FakeDisk } from '../state/fake-disk';
import { delay } from '../../src/time/clock';
import { delayedStep } from './parked';
import { copied, counting, input, keysOf, record, records, results } from './programs';
import { World, type Running } from './world';

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 2, results: 1 });
});

afterEach(() => world.end());

function expectNothingLeft(one: Running): void {
  expect(one.waiting).toBe(0);
  expect(world.broker.group('app')?.members ?? []).toEqual([]);
  expect(world.broker.partition({ topic: 'results', partition: 0 })?.openTransactions).toEqual([]);
}

/** Folders that count how many are open, and refuse to be opened twice. */
class Folders {
  readonly refused: string[] = [];
  failing: MillraceError | undefined;
  /** ms that closing takes. */
  slow = 0;
  private readonly opened = new Set<string>();

  get open(): number {
    return this.opened.size;
  }

  readonly openBytes: OpenBytes = async (folder, options) => {
    const bytes = await new FakeDisk().open(folder, options);
    if (this.opened.has(folder)) {
      this.refused.push(folder);
      throw new MillraceError('STATE_IO', 'the folder is in use');
    }
    this.opened.add(folder);
    const { close, write } = bytes;
    return Object.assign(bytes, {
      write: (operations: never) => (this.failing === undefined ? write.call(bytes, operations) : Promise.reject(this.failing)),
      close: async () => {
        if (this.slow > 0) await delay(world.clock, this.slow);
        this.opened.delete(folder);
        await close.call(bytes);
      },
    });
  };
}

describe('an end', () => {
  it('D1, D3: of an idle app comes within a second and leaves nothing', async () => {
    const one = world.start(counting);
    await world.until(() => one.state === 'running');
    await world.clock.advance(5_000);
    const asked = world.clock.monotonic();
    await one.close();
    expect(world.clock.monotonic() - asked).toBeLessThan(1_000);
    expect(one.completed).toBe(true);
    expect(one.states.slice(-2)).toEqual(['draining', 'closed']);
    expectNothingLeft(one);
  });

  it('D2: drains, commits and leaves', async () => {
    let pushed = 0;
    const one = world.start((task) => counting(task).pipe(tap(() => pushed++)), { commitInterval: 60_000 });
    await world.until(() => one.state === 'running');
    await world.write(input, records('a', 25));
    await world.until(() => pushed === 25);
    await one.close();
    expect(one.commits.flatMap(({ tasks }) => tasks).reduce((sum, task) => sum + task.records, 0)).toBe(25);
    expect(await world.read(results)).toHaveLength(25);
    expectNothingLeft(one);
  });

  it('D3: closes every store, also after a failure, also when local state cannot be written any more', async () => {
    const folders = new Folders();
    await world.write(input, records('a', 5));
    const one = world.start(counting, { openBytes: folders.openBytes });
    await world.until(() => one.commits.length > 0);
    expect(folders.open).toBe(2);
    folders.failing = new MillraceError('STATE_IO', 'the disk is full');
    await one.close();
    expect(folders.open).toBe(0);
    expect(one.completed).toBe(true);
    expectNothingLeft(one);
  });

  it('D3: waits for stores that are being closed when its time is up: their folders are free when it has come', async () => {
    const folders = new Folders();
    await world.write(input, records('a', 5));
    const one = world.start(counting, { openBytes: folders.openBytes });
    await world.until(() => one.commits.length > 0);
    folders.slow = 300;
    await one.close(100);
    expect(folders.open).toBe(0);
    expectNothingLeft(one);
  });

  it('comes within its budget while a task waits for a promise; what that task has done is not committed', async () => {
    const { topology, waiting } = delayedStep();
    const one = world.start(topology);
    await world.until(() => one.state === 'running');
    await world.write(input, records('a', 1));
    await world.until(() => waiting() === 1);
    const asked = world.clock.monotonic();
    await one.close(500);
    expect(world.clock.monotonic() - asked).toBeLessThan(1_000);
    expect(await world.read(results)).toEqual([]);
    expectNothingLeft(one);
  });

  it('comes soon after its budget when no broker answers any more, and asks nobody afterwards', async () => {
    const one = world.start(counting);
    await world.until(() => one.state === 'running');
    await world.write(input, records('a', 5));
    await world.until(() => one.commits.length > 0);
    const dead = world.broker.faults.add({ match: ({ clientId }) => clientId === 'one', action: { kind: 'fail before' }, times: Infinity });
    await world.write(input, records('a', 5, 5));
    await world.clock.advance(500);
    const asked = world.clock.monotonic();
    await one.close(1_000);
    expect(world.clock.monotonic() - asked).toBeLessThan(5_000);
    const hits = dead.hits;
    await world.clock.advance(120_000);
    expect(dead.hits).toBe(hits);
    expect(one.waiting).toBe(0);
  });

  it('comes soon after its budget when a broker holds a request and says nothing', async () => {
    const one = world.start(counting);
    await world.until(() => one.state === 'running');
    world.fault('txnOffsetCommit', { kind: 'delay', ms: 60_000 }, undefined, Infinity);
    const asked = world.asked('txnOffsetCommit').length;
    await world.write(input, records('a', 5));
    await world.until(() => world.asked('txnOffsetCommit').length > asked);
    const began = world.clock.monotonic();
    await one.close(3_000);
    expect(world.clock.monotonic() - began).toBeLessThan(8_000);
    // Its transaction is left to whoever leads the group, or to its timeout.
    expect(one.waiting).toBe(0);
    expect(world.broker.group('app')?.members ?? []).toEqual([]);
  });

  it('while its tasks are being opened is an end too', async () => {
    await world.write(input, records('a', 5));
    await world.toTheEnd(counting);
    world.fault('fetch', { kind: 'delay', ms: 5_000 }, ({ lane }) => lane === 'restore', Infinity);
    const folders = new Folders();
    const one = world.start(counting, { openBytes: folders.openBytes });
    await world.until(() => world.asked('fetch').some(({ lane }) => lane === 'restore'));
    await one.close();
    await world.clock.advance(10_000);
    expect(folders.open).toBe(0);
    expectNothingLeft(one);
  });

  it('while its tasks are being opened comes soon after its budget though no broker answers any more', async () => {
    world.fault('offsetFetch', { kind: 'fail before' }, undefined, Infinity);
    const one = world.start(counting);
    await world.until(() => world.asked('offsetFetch').length > 2);
    expect(one.started).toEqual([]);
    const asked = world.clock.monotonic();
    await one.close(1_000);
    expect(world.clock.monotonic() - asked).toBeLessThan(5_000);
    expect(one.waiting).toBe(0);
  });

  it('with a rebalance that gives it tasks meanwhile closes those as well', async () => {
    const folders = new Folders();
    const quick = { sessionTimeout: 6_000, heartbeatInterval: 200 };
    const two = world.start(counting, { ...quick, name: 'two' });
    const one = world.start(counting, { ...quick, name: 'one', openBytes: folders.openBytes });
    await world.until(() => one.owned.size === 1 && two.owned.size === 1);
    const leaving = two.app.close();
    world.fault('endTxn', { kind: 'delay', ms: 1_000 }, ({ clientId }) => clientId === 'one');
    await world.write(input, [...records('a', 5), ...records('b', 5), ...records('c', 5)]);
    await world.until(() => world.asked('endTxn').some(({ clientId }) => clientId === 'one'));
    await one.close();
    await world.settle(leaving);
    await world.clock.advance(5_000);
    expect(folders.open).toBe(0);
    expectNothingLeft(one);
  });

  it('D3: while the group gives back what is being closed waits until its folder is free', async () => {
    const folders = new Folders();
    const one = world.start(counting, { sessionTimeout: 6_000, heartbeatInterval: 500, openBytes: folders.openBytes });
    await world.until(() => one.started.length === 2);
    folders.slow = 3_000;
    const closing = one.close();
    world.fault('heartbeat', { kind: 'answer', errorCode: 22 });
    const asked = world.asked('syncGroup').length;
    await world.until(() => world.asked('syncGroup').length > asked);
    expect(folders.open).toBe(2);
    await closing;
    expect(folders.refused).toEqual([]);
    expect(folders.open).toBe(0);
    expectNothingLeft(one);
  });

  it('comes when the run is unsubscribed', async () => {
    const one = world.start(counting);
    await world.until(() => one.state === 'running');
    one.subscription.unsubscribe();
    await world.until(() => one.state === 'closed');
    expectNothingLeft(one);
  });

  it('of a run until caught up leaves no look at the offsets behind', async () => {
    await world.write(input, records('a', 5));
    const one = world.start(counting, { until: 'caught-up' });
    await world.until(() => one.commits.length > 0);
    await one.close();
    await world.clock.advance(100);
    expectNothingLeft(one);
  });

  it('D2: reports the first error of the topology to the run, after everything before it was committed', async () => {
    await world.write(input, records('a', 5));
    const failing: Topology = ({ stream }) =>
      stream(input).pipe(
        concatMap((each) =>
          defer(() => {
            if (each.value === 'v3') throw new Error('not this one');
            return [each];
          }),
        ),
        to(copied),
      );
    const one = world.start(failing);
    await one.ended();
    await one.close();
    expect(one.error).toMatchObject({ code: 'PROCESSING', where: { topic: 'input', offset: 3 } });
    expect((await world.read(copied)).map(({ value }) => value)).toEqual(['v0', 'v1', 'v2']);
    expect(one.state).toBe('failed');
    expectNothingLeft(one);
  });

  it('R16: of one partition whose stream was left disturbs no other', async () => {
    const [left, right] = [keysOf(0, 2)[0] as string, keysOf(1, 2)[0] as string];
    const partial: Topology = ({ stream }) =>
      stream(input).pipe(
        tap(({ key, value }) => {
          if (key === left && value === 'leave') throw new Error('left');
        }),
        catchError(() => EMPTY),
        to(copied),
      );
    const one = world.start(partial);
    await world.write(input, [record(left, 'a'), record(left, 'leave'), record(left, 'b'), record(right, 'a')]);
    await world.until(() => one.state === 'degraded');
    await world.write(input, [record(right, 'b')]);
    await world.until(() => world.committed('input', 1)?.offset === 2);
    expect(world.committed('input', 0)?.offset).toBe(1);
    await one.close();
    expect(one.completed).toBe(true);
    expect((await world.read(copied)).map(({ key, value }) => `${key} ${value}`).sort()).toEqual(
      [`${left} a`, `${right} a`, `${right} b`].sort(),
    );
    expectNothingLeft(one);
  });
});
