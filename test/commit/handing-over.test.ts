/** A task goes from one instance to another: what is saved, what is let go, and where the next owner reads on. */
import { filter } from 'rxjs';
import { countWithStore, lookup, type LookupFetch, mapValues, to } from '../../operators';
import type { OpenBytes } from '../../src/state/open-bytes';
import type { Topology } from '../../src/task/topology';
import { FakeDisk } from '../state/fake-disk';
import { copied, counting, counts, input, keysOf, record, results } from './programs';
import { type Running, type StartOptions, World } from './world';

const PARTITIONS = 4;
const QUICK: StartOptions = { sessionTimeout: 6_000, heartbeatInterval: 500 };
const keys = Array.from({ length: PARTITIONS }, (_, partition) => keysOf(partition, PARTITIONS)[0] as string);

let world: World;
let written = 0;

beforeEach(() => {
  world = new World();
  world.topics({ input: PARTITIONS, results: 1 });
  written = 0;
});

afterEach(() => world.end());

/** One record to each partition, `rounds` times. */
async function feed(rounds: number): Promise<void> {
  const batch = Array.from({ length: rounds }, (_, round) => keys.map((key) => record(key, `v${written + round}`, written + round))).flat();
  written += rounds;
  await world.write(input, batch);
}

const allCommitted = (): Promise<void> => world.untilCommitted({ input: keys.map(() => written) });
const ownedBy = (running: Running): number[] => [...running.owned].sort();

async function expectCountedOnce(): Promise<void> {
  const found = await world.read(results);
  for (const key of keys) {
    expect(found.filter((each) => each.key === key).map(({ value }) => value)).toEqual(Array.from({ length: written }, (_, at) => at + 1));
  }
}

/** Where each of its fetches of an input partition began. */
const fetchedFrom = (name: string, partition: number): number[] =>
  world
    .asked('fetch')
    .filter(({ clientId, lane }) => clientId === name && lane !== 'restore')
    .flatMap(({ request }) => request.partitions.filter((each) => each.topic === 'input' && each.partition === partition))
    .map(({ offset }) => offset);

describe('the last records of a task that leaves', () => {
  it('R3: were all filtered: nothing holds up the rebalance, their offset is committed, the next owner begins behind them', async () => {
    const even: Topology = ({ stream, store }) =>
      stream(input).pipe(
        filter(({ value }) => value === 'v0'),
        countWithStore(store(counts)),
        to(results),
      );
    const one = world.start(even, { ...QUICK, name: 'one', commitInterval: 60_000 });
    await world.until(() => one.started.length === PARTITIONS);
    await feed(10);
    await world.until(() => fetchedFrom('one', 3).includes(10));
    expect(world.committed('input', 0)?.offset).toBe(0);
    const asked = world.clock.monotonic();
    const two = world.start(even, { ...QUICK, name: 'two' });
    await world.until(() => two.started.length === 2);
    expect(world.clock.monotonic() - asked).toBeLessThan(3_000);
    for (const task of two.owned) {
      expect(world.committed('input', task)?.offset).toBe(10);
      await world.until(() => fetchedFrom('two', task).length > 0);
      expect(fetchedFrom('two', task)[0]).toBe(10);
    }
  });
});

describe('R7: reading starts where the state was left', () => {
  /** Each ends with a start of task 0 that is not the first, by the instance it gives. */
  const starts: Record<string, (one: Running) => Promise<Running>> = {
    'after a restart': async (one) => {
      one.kill();
      return world.start(counting, { ...QUICK, name: 'again' });
    },
    'given by another member': async (one) => {
      const two = world.start(counting, { ...QUICK, name: 'two' });
      await world.until(() => two.started.length === 2);
      await one.close();
      return two;
    },
    'after an abort': async (one) => {
      world.fault('txnOffsetCommit', { kind: 'answer', errorCode: 29 });
      return one;
    },
    'lost, and given back': async (one) => {
      world.fault('heartbeat', { kind: 'answer', errorCode: 25 });
      await world.clock.advance(1_000);
      return one;
    },
  };

  it.each(Object.keys(starts))('R7: with a transaction not committed, %s: all is counted once', async (name) => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await feed(3);
    await allCommitted();
    const begun = one.started.length;
    // Not committed: whoever starts next does it again.
    world.fault('endTxn', { kind: 'delay', ms: 400 }, ({ request }) => request.commit);
    await feed(2);
    const next = await starts[name]!(one);
    await allCommitted();
    await feed(2);
    await allCommitted();
    expect(next === one ? next.started.length : next.started.length + begun).toBeGreaterThan(begun);
    await expectCountedOnce();
  });

  it.each(Object.keys(starts))('R7: %s: the task begins at its committed position', async (name) => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await feed(3);
    await allCommitted();
    const next = await starts[name]!(one);
    await feed(1);
    await allCommitted();
    const starting = next.lines.filter(({ message }) => message === 'task started').slice(next === one ? PARTITIONS : 0);
    expect(starting.length).toBeGreaterThan(0);
    for (const { fields } of starting) expect((fields as { positions: object }).positions).toEqual({ input: 3 });
    await expectCountedOnce();
  });
});

describe('local state', () => {
  /** Folders by instance and task that outlive their owners; which of them are open. */
  class Folders {
    readonly open = new Set<string>();
    private readonly disks = new Map<string, FakeDisk>();

    readonly openBytes: OpenBytes = async (folder, options) => {
      const disk = this.disks.get(folder) ?? new FakeDisk();
      this.disks.set(folder, disk);
      const bytes = await disk.open(folder, options);
      this.open.add(folder);
      const { close } = bytes;
      return Object.assign(bytes, {
        close: () => {
          this.open.delete(folder);
          return close.call(bytes);
        },
      });
    };

    ofTasks(name: string): string[] {
      return [...this.open].filter((folder) => folder.startsWith(`${name}/`)).sort();
    }
  }

  it('R18: of the tasks that leave is written and closed, that of those that stay remains open', async () => {
    const folders = new Folders();
    const one = world.start(counting, { ...QUICK, name: 'one', openBytes: folders.openBytes });
    await feed(10);
    await allCommitted();
    const two = world.start(counting, { ...QUICK, name: 'two', openBytes: folders.openBytes });
    await world.until(() => two.started.length === 2);
    expect(folders.ofTasks('one')).toEqual(ownedBy(one).map((task) => `one/${task}`));
    expect(folders.ofTasks('two')).toEqual(ownedBy(two).map((task) => `two/${task}`));
  });

  it('R18: of the tasks that leave is as new as what was committed: who takes them back restores only what came since', async () => {
    const folders = new Folders();
    const one = world.start(counting, { ...QUICK, name: 'one', openBytes: folders.openBytes });
    await feed(50);
    await allCommitted();
    const two = world.start(counting, { ...QUICK, name: 'two' });
    await world.until(() => two.started.length === 2);
    await feed(1);
    await allCommitted();
    expect(one.total('restore-records-total')).toBe(0);
    await two.close();
    await world.until(() => one.started.length === PARTITIONS + 2);
    expect(one.total('restore-records-total')).toBe(2);
    await feed(1);
    await allCommitted();
    await expectCountedOnce();
  });
});

describe('calls in flight for a task that leaves', () => {
  interface Question {
    readonly asker: string;
    readonly id: string;
    readonly signal: AbortSignal;
    readonly answer: (value: string) => void;
  }
  const questions: Question[] = [];

  beforeEach(() => {
    questions.length = 0;
  });

  const asking =
    (asker: string): LookupFetch<string, string> =>
    (id, signal) =>
      new Promise((resolve) => questions.push({ asker, id, signal, answer: resolve }));
  const enriching =
    (asker: string): Topology =>
    ({ stream }) =>
      stream(input).pipe(
        lookup(asking(asker), { id: (_, { key, value }) => `${key} ${value}` }),
        mapValues(([, answer]) => answer),
        to(copied),
      );
  const askedBy = (asker: string): Question[] => questions.filter((each) => each.asker === asker);

  /** Both run, `one` has a question out for each task; the tasks that are about to leave it. */
  async function leaving(): Promise<{ readonly one: Running; readonly two: Running; readonly left: readonly Question[] }> {
    const one = world.start(enriching('one'), { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === PARTITIONS);
    await feed(1);
    await world.until(() => askedBy('one').length === PARTITIONS);
    const two = world.start(enriching('two'), { ...QUICK, name: 'two' });
    await world.until(() => two.started.length === 2, 60_000);
    const left = askedBy('one').filter(({ id }) => [...two.owned].some((task) => id.startsWith(`${keys[task]!} `)));
    return { one, two, left };
  }

  const copies = async (): Promise<string[]> => (await world.read(copied)).map(({ key, value }) => `${key}: ${value}`).sort();

  it('D5: that have not come back in time are aborted; those of the tasks that stay are not', async () => {
    const { left } = await leaving();
    expect(left).toHaveLength(2);
    for (const question of askedBy('one')) expect([question.id, question.signal.aborted]).toEqual([question.id, left.includes(question)]);
  });

  it('D5, R1: what comes back later goes nowhere: the next owner asks again, and each result is written once', async () => {
    const { left } = await leaving();
    for (const { answer } of left) answer('too late');
    await world.until(() => askedBy('two').length === 2);
    for (const { id, answer } of [...askedBy('one'), ...askedBy('two')]) answer(`${id}!`);
    await allCommitted();
    expect(await copies()).toEqual(keys.map((key) => `${key}: ${key} v0!`).sort());
  });

  it('R1: that come back while it drains are committed with it, and not asked again', async () => {
    const one = world.start(enriching('one'), { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === PARTITIONS);
    await feed(1);
    await world.until(() => askedBy('one').length === PARTITIONS);
    const two = world.start(enriching('two'), { ...QUICK, name: 'two' });
    const generation = world.broker.group('app')!.generationId;
    await world.until(() => world.broker.group('app')!.generationId > generation);
    await world.clock.advance(100);
    for (const { id, answer } of askedBy('one')) answer(`${id}!`);
    await world.until(() => two.started.length === 2, 60_000);
    await allCommitted();
    expect(askedBy('two')).toEqual([]);
    expect(await copies()).toEqual(keys.map((key) => `${key}: ${key} v0!`).sort());
  });
});
