/** Three processes of one application, each with a disk of its own: they come, close and die, and have trouble on the way. */
import { MillraceError } from '../../src/errors/millrace-error';
import type { OpenBytes } from '../../src/state/open-bytes';
import type { BytesOperation } from '../../src/state/port';
import type { Topology } from '../../src/task/topology';
import { type Clock, delay } from '../../src/time/clock';
import { FakeDisk } from '../state/fake-disk';
import { type Chance, pureRandom } from './chance';
import { input, keysOf, record, results } from './programs';
import type { Running, StartOptions, World } from './world';

const PARTITIONS = 4;
const keys = Array.from({ length: PARTITIONS }, (_, partition) => keysOf(partition, PARTITIONS)[0] as string);
const QUICK = { sessionTimeout: 6_000, heartbeatInterval: 500, requestTimeout: 20_000, transactionTimeout: 25_000 };

/** The folders of one machine, on a slow disk. Whoever asks one that was closed is refused, as by LevelDB. */
class Folders {
  readonly wrong: string[] = [];
  private readonly disks = new Map<string, FakeDisk>();
  private readonly open = new Set<string>();

  constructor(private readonly clock: Clock) {}

  readonly openBytes: OpenBytes = async (folder, options) => {
    const disk = this.disks.get(folder) ?? new FakeDisk();
    this.disks.set(folder, disk);
    if (this.open.has(folder)) {
      this.wrong.push(`${folder} is opened twice`);
      throw new MillraceError('STATE_IO', 'it is open');
    }
    this.open.add(folder);
    const bytes = await disk.open(folder, options);
    let closed = false;
    const guarded =
      <A extends unknown[], R>(name: string, method: (...args: A) => R) =>
      (...args: A): R => {
        if (closed) throw new MillraceError('STATE_IO', `${folder}: ${name} after close`);
        return method.apply(bytes, args);
      };
    return {
      get: guarded('get', bytes.get),
      write: guarded('write', async (operations: readonly BytesOperation[]) => {
        await delay(this.clock, 20);
        if (closed) throw new MillraceError('STATE_IO', `${folder}: closed while writing`);
        return bytes.write(operations);
      }),
      snapshot: guarded('snapshot', bytes.snapshot),
      read: guarded('read', bytes.read),
      clear: guarded('clear', bytes.clear),
      close: async () => {
        closed = true;
        await delay(this.clock, 50);
        await bytes.close();
        this.open.delete(folder);
      },
    };
  };

  /** Its process dies: of what was being written, some has reached the disk. */
  async crash(survivors: number): Promise<void> {
    this.open.clear();
    for (const disk of this.disks.values()) await disk.crash(survivors);
  }
}

interface Member {
  readonly folders: Folders;
  running: Running | undefined;
}

/** A death, an end, or trouble on the way. */
async function happens(world: World, member: Member, running: Running, chance: Chance): Promise<void> {
  const dice = chance.below(10);
  if (dice < 2) {
    running.kill();
    await member.folders.crash(chance.below(3));
    member.running = undefined;
  } else if (dice < 4) {
    void running.app.close({ within: [50, 1_000, 10_000][chance.below(3)]! }).catch(() => undefined);
  } else if (dice < 6) {
    world.fault('fetch', { kind: 'delay', ms: 500 + chance.below(4_000) }, ({ lane }) => lane === 'restore', 1 + chance.below(3));
  } else if (dice === 6) {
    world.fault('endTxn', { kind: 'delay', ms: chance.below(2_000) });
  } else if (dice === 7) {
    world.fault('heartbeat', { kind: 'answer', errorCode: [22, 25, 27][chance.below(3)]! });
  } else if (dice === 8) {
    const apis = ['offsetFetch', 'syncGroup', 'joinGroup', 'txnOffsetCommit', 'listOffsets'] as const;
    world.fault(apis[chance.below(apis.length)]!, { kind: 'delay', ms: chance.below(7_000) });
  } else {
    world.fault('txnOffsetCommit', { kind: 'answer', errorCode: 48 });
  }
}

export interface ComingAndGoing {
  readonly world: World;
  /** Counts `input` by key, into `results`. */
  readonly program: Topology;
  readonly seed: number;
  readonly options?: StartOptions;
  /** ms between two things that happen: less than one of them. */
  readonly pauses?: readonly number[];
}

/** Writes and lets things happen for a while, then expects each record to have counted once. Gives all that ran. */
export async function expectExactness({
  world,
  program,
  seed,
  options = {},
  pauses = [30, 300, 3_000],
}: ComingAndGoing): Promise<readonly Running[]> {
  const chance = pureRandom(seed);
  world.topics({ input: PARTITIONS, results: 1 });
  const members = new Map<string, Member>(
    ['p0', 'p1', 'p2'].map((each) => [each, { folders: new Folders(world.clock), running: undefined }]),
  );
  const start = (id: string, member: Member): void => {
    member.running = world.start(program, { ...QUICK, ...options, name: id, openBytes: member.folders.openBytes });
    all.push(member.running);
  };
  const written = keys.map(() => 0);
  const all: Running[] = [];
  start('p0', members.get('p0')!);
  for (let round = 0; round < 40; round++) {
    const batch = keys.flatMap((key, at) => {
      const count = chance.below(4);
      written[at]! += count;
      return Array.from({ length: count }, () => record(key, key, round));
    });
    if (batch.length > 0) await world.write(input, batch);
    const [id, member] = [...members][chance.below(members.size)]!;
    const { running } = member;
    if (running === undefined || running.error !== undefined || running.completed) {
      if (running === undefined || running.state === 'closed' || running.state === 'failed') start(id, member);
    } else {
      await happens(world, member, running, chance);
    }
    await world.clock.advance(chance.below(pauses[chance.below(pauses.length)]!));
  }
  world.broker.faults.clear();
  const last = members.get('p0')!;
  const isRunning = (): boolean => last.running?.state === 'running' && !last.running.completed;
  for (let waited = 0; waited < 200 && !isRunning(); waited++) {
    const { running } = last;
    if (running === undefined || running.state === 'closed' || running.state === 'failed') start('p0', last);
    await world.clock.advance(1_000);
  }
  await world.untilCommitted({ input: written });
  const total = written.reduce((a, b) => a + b, 0);
  for (let waited = 0; waited < 60 && (await world.read(results)).length < total; waited++) await world.clock.advance(1_000);
  const found = await world.read(results);
  keys.forEach((key, at) => {
    expect([key, found.filter((each) => each.key === key).map(({ value }) => value)]).toEqual([
      key,
      Array.from({ length: written[at]! }, (_, n) => n + 1),
    ]);
  });
  expect([...members.values()].flatMap(({ folders }) => folders.wrong)).toEqual([]);
  expect(all.map(({ error }) => error)).toEqual(all.map(() => undefined));
  await world.end();
  return all;
}
