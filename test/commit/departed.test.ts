/** Members that go and leave a transaction open: the group ends it, so that neither readers nor their successors wait for its timeout. */
import { counting, input, keysOf, record, results } from './programs';
import { type Running, type StartOptions, World } from './world';

const PARTITIONS = 4;
const SESSION_MS = 6_000;
const QUICK: StartOptions = { sessionTimeout: SESSION_MS, heartbeatInterval: 500, transactionTimeout: 60_000 };
const keys = Array.from({ length: PARTITIONS }, (_, partition) => keysOf(partition, PARTITIONS)[0] as string);

let world: World;
let written = 0;

beforeEach(() => {
  world = new World();
  world.topics({ input: PARTITIONS, results: 1 });
  written = 0;
});

afterEach(() => world.end());

async function feed(rounds: number): Promise<void> {
  const batch = Array.from({ length: rounds }, () => keys.map((key) => record(key, 'v', written))).flat();
  written += rounds;
  await world.write(input, batch);
}

const allCommitted = (): Promise<void> => world.untilCommitted({ input: keys.map(() => written) });

async function expectExact(): Promise<void> {
  const found = await world.read(results);
  for (const key of keys) {
    expect(found.filter((each) => each.key === key).map(({ value }) => value)).toEqual(Array.from({ length: written }, (_, at) => at + 1));
  }
}

const state = (): { open: boolean; end: number } => {
  const { lastStableOffset, highWatermark } = world.broker.partition({ topic: 'results', partition: 0 })!;
  return { open: lastStableOffset < highWatermark, end: highWatermark };
};

async function two(options: StartOptions = {}): Promise<[Running, Running]> {
  const one = world.start(counting, { ...QUICK, ...options, name: 'one' });
  await world.until(() => one.started.length === PARTITIONS);
  const other = world.start(counting, { ...QUICK, ...options, name: 'two' });
  await world.until(() => other.started.length === 2 && one.owned.size === 2);
  await feed(3);
  await allCommitted();
  return [one, other];
}

/** Its transaction holds records that were written, and never comes to its EndTxn. */
async function openAtDeath(dying: Running, survivor: Running): Promise<void> {
  const held = world.fault('endTxn', { kind: 'hang' }, ({ clientId, request }) => clientId === dying.name && request.commit);
  await feed(1);
  await world.until(() => held.hits === 1 && world.asked('endTxn').some(({ clientId }) => clientId === survivor.name));
  await world.until(() => (world.broker.partition({ topic: 'results', partition: 0 })?.openTransactions.length ?? 0) === 1);
  expect(state().open).toBe(true);
}

const leaderId = (): string => world.broker.group('app')?.leaderId ?? '';
const clientOf = (memberId: string): string | undefined =>
  world.broker.group('app')?.members.find((each) => each.memberId === memberId)?.clientId;

describe('a member that dies with a transaction open', () => {
  it.each([
    ['the leader', 'one'],
    ['another', 'two'],
  ])('C2: %s: readers of its output go on a second after its session, and its tasks too', async (_, dying) => {
    const [one, other] = await two();
    expect(clientOf(leaderId())).toBe('one');
    const [dead, alive] = dying === 'one' ? [one, other] : [other, one];
    await openAtDeath(dead, alive);
    dead.kill();
    const died = world.clock.monotonic();
    await feed(2);
    await world.until(() => !state().open, 60_000);
    expect(world.clock.monotonic() - died).toBeLessThanOrEqual(SESSION_MS + 1_000);
    await allCommitted();
    expect(world.clock.monotonic() - died).toBeLessThanOrEqual(SESSION_MS + 2_000);
    await expectExact();
    expect(alive.error).toBeUndefined();
  });

  it('both that are left know of it when the leader dies as well', async () => {
    const [one, other] = await two();
    const third = world.start(counting, { ...QUICK, name: 'three' });
    await world.until(() => third.started.length > 0);
    await openAtDeath(other, one);
    other.kill();
    one.kill();
    const died = world.clock.monotonic();
    await world.until(() => third.owned.size === PARTITIONS, 60_000);
    await world.until(() => !state().open, 60_000);
    expect(world.clock.monotonic() - died).toBeLessThanOrEqual(SESSION_MS + 2_000);
    await feed(2);
    await allCommitted();
    await expectExact();
  });

  it('asks once for one that had nothing open, and forgets it', async () => {
    const [, other] = await two();
    await world.clock.advance(1_000);
    other.kill();
    await world.until(() => world.asked('describeTransactions').length > 0, 60_000);
    const third = world.start(counting, { ...QUICK, name: 'three' });
    await world.until(() => third.started.length === 2, 60_000);
    await world.clock.advance(5_000);
    expect(world.asked('describeTransactions').map(({ request }) => request.transactionalIds.length)).toEqual([1]);
  });

  it('that may not be looked at ends by its own timeout, and the warning names what to allow', async () => {
    const [one, other] = await two({ transactionTimeout: 25_000, requestTimeout: 20_000 });
    world.fault('describeTransactions', { kind: 'answer', errorCode: 53 }, undefined, Infinity);
    await openAtDeath(other, one);
    other.kill();
    await feed(2);
    await world.until(() => !state().open, 60_000);
    await allCommitted();
    await expectExact();
    const warnings = one.lines.filter(({ level, message }) => level === 'warn' && message.includes('departed'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.message).toContain('Describe and Write');
    expect(JSON.stringify(warnings[0]?.fields)).toContain('TRANSACTIONAL_ID_AUTHORIZATION_FAILED');
  });
});

describe('a member that is cut off beyond its session, with a transaction open', () => {
  it('C2: finds it ended when it comes back, rejoins, goes on with the next epoch, and is not taken for a duplicate', async () => {
    const [one, other] = await two();
    await openAtDeath(other, one);
    const epoch = () => world.broker.transactions().find(({ transactionalId }) => transactionalId.includes('two'))!.producerEpoch;
    const before = epoch();
    const cut = world.broker.faults.add({ match: ({ clientId }) => clientId === 'two', action: { kind: 'fail before' }, times: Infinity });
    await feed(2);
    await world.until(() => one.owned.size === PARTITIONS, 60_000);
    await allCommitted();
    cut.remove();
    await world.until(() => other.owned.size === 2 && other.started.length > 2, 120_000);
    await feed(3);
    await allCommitted();
    expect(epoch()).toBeGreaterThan(before);
    expect([one.error, other.error]).toEqual([undefined, undefined]);
    await expectExact();
  });
});
