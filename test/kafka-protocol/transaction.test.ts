import type { GroupFence } from '../../src/kafka/group-fence';
import type { MemberIdentity } from '../../src/kafka/port';
import type { TransactionalProducer } from '../../src/kafka/transaction';
import { fenceOf, offset, Simulated, toProduce } from './simulated';

describe('a transaction', () => {
  let world: Simulated;
  let producer: TransactionalProducer;
  let member: MemberIdentity;
  let fence: GroupFence;

  beforeEach(async () => {
    world = new Simulated();
    world.broker.createTopic('input', 2);
    world.broker.createTopic('output', 2);
    producer = await world.initialised();
    member = await world.join();
    fence = fenceOf(member);
    world.heard.length = 0;
    world.steps.length = 0;
  });

  afterEach(() => {
    world.close();
  });

  it('makes batches and offsets visible together, and tells where each partition ends', async () => {
    const outcome = await world.commit(producer, fence, 7, toProduce('output', 0, 'a', 'b'), toProduce('output', 1, 'c'));
    expect(outcome).toEqual({
      kind: 'committed',
      ends: [
        { topic: 'output', partition: 0, next: 2 },
        { topic: 'output', partition: 1, next: 1 },
      ],
    });
    expect(await world.committed('output', 0)).toEqual(['a', 'b']);
    expect(await world.committed('output', 1)).toEqual(['c']);
    expect(world.committedOffset()).toBe(7);
    expect(producer.state).toBe('READY');
  });

  it('says each of its steps as it begins', async () => {
    await world.commit(producer, fence, 1, toProduce('output', 0, 'a'));
    expect(world.steps).toEqual([
      'adding partitions',
      'adding offsets',
      'producing',
      'offsets sent',
      'between offsets and EndTxn',
      'ending',
      'ended',
    ]);
  });

  it('of offsets alone needs no partitions', async () => {
    expect(await world.commit(producer, fence, 3)).toEqual({ kind: 'committed', ends: [] });
    expect(world.apis()).not.toContain('addPartitionsToTxn');
    await world.clock.advance(1_000);
    expect(world.committedOffset()).toBe(3);
  });

  it('K5: without offsets it is refused before anything is sent, because nothing would fence it', async () => {
    const commit = producer.commit({ batches: [toProduce('output', 0, 'a')], offsets: [], fence });
    await expect(world.settle(commit)).rejects.toMatchObject({ code: 'PROTOCOL' });
    expect(world.apis()).toEqual([]);
  });

  it('K5: is not committed when its offset commit was answered with an error', async () => {
    world.answer('txnOffsetCommit', 30);
    const outcome = await world.commit(producer, fence, 1, toProduce('output', 0, 'a'));
    expect(outcome).toMatchObject({ kind: 'aborted', reason: { code: 'BROKER_ERROR' } });
    expect(world.heard.filter(({ api, request }) => api === 'endTxn' && 'commit' in request && request.commit)).toEqual([]);
    expect(await world.committed('output', 0)).toEqual([]);
    expect(world.committedOffset()).toBeUndefined();
  });

  it('is not committed when a batch was answered with an error', async () => {
    world.answer('produce', 59);
    const outcome = await world.commit(producer, fence, 1, toProduce('output', 0, 'a'));
    expect(outcome).toMatchObject({ kind: 'aborted', reason: { code: 'BROKER_ERROR', where: { topic: 'output', partition: 0 } } });
    expect(await world.committed('output', 0)).toEqual([]);
    expect(world.committedOffset()).toBeUndefined();
  });

  it('is one at a time', async () => {
    const first = producer.commit({ batches: [], offsets: [offset(0, 1)], fence });
    await expect(producer.commit({ batches: [], offsets: [offset(0, 2)], fence })).rejects.toMatchObject({ code: 'PROTOCOL' });
    expect(await world.settle(first)).toMatchObject({ kind: 'committed' });
  });

  it('K7: given CONCURRENT_TRANSACTIONS, the retry waits 1, 2, 4, 8 ms', async () => {
    world.answer('addPartitionsToTxn', 51, 4);
    expect(await world.commit(producer, fence, 1, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'committed' });
    const times = world.heard.filter(({ api }) => api === 'addPartitionsToTxn').map(({ at }) => at);
    expect(times.slice(1).map((at, i) => at - times[i]!)).toEqual([1, 2, 4, 8]);
  });

  it('back to back commits need no new epoch', async () => {
    const { identity } = producer;
    for (let i = 1; i <= 20; i++)
      expect(await world.commit(producer, fence, i, toProduce('output', 0, `v${i}`))).toMatchObject({ kind: 'committed' });
    expect(producer.identity).toEqual(identity);
    expect(world.count('initProducerId')).toBe(0);
    expect(await world.committed('output', 0)).toHaveLength(20);
  });

  it.each([14, 15, 16])('code %i of a coordinator is retried at every step', async (code) => {
    for (const api of ['addPartitionsToTxn', 'addOffsetsToTxn', 'txnOffsetCommit', 'endTxn'] as const) world.answer(api, code, 2);
    expect(await world.commit(producer, fence, 5, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'committed' });
    expect(await world.committed('output', 0)).toEqual(['a']);
    expect(world.committedOffset()).toBe(5);
  });

  it('given up within its budget is aborted, and the error says what it waited for', async () => {
    world.answer('addOffsetsToTxn', 15, Infinity);
    const outcome = await world.commit(producer, fence, 1, toProduce('output', 0, 'a'));
    expect(outcome).toMatchObject({
      kind: 'aborted',
      reason: { message: expect.stringContaining('offsets to be added to the transaction') as string },
    });
    expect(world.clock.monotonic()).toBeLessThan(45_000);
    expect(producer.state).toBe('READY');
  });

  it('a batch the broker refuses is named, the transaction aborted, and the next one works', async () => {
    world.broker.createTopic('small', 1, { 'max.message.bytes': '200' });
    const outcome = await world.commit(producer, fence, 1, toProduce('output', 0, 'a'), toProduce('small', 0, 'x'.repeat(500)));
    expect(outcome).toMatchObject({
      kind: 'refused',
      refusals: [{ topic: 'small', partition: 0, index: 1, code: 10, source: 'x'.repeat(500), error: { code: 'PRODUCE_REFUSED' } }],
    });
    expect(await world.commit(producer, fence, 2, toProduce('output', 0, 'b'))).toMatchObject({ kind: 'committed' });
    expect(await world.committed('output', 0)).toEqual(['b']);
  });

  it('a topic that does not exist is refused with each of its batches', async () => {
    const outcome = await world.commit(
      producer,
      fence,
      1,
      toProduce('nowhere', 0, 'a'),
      toProduce('output', 0, 'b'),
      toProduce('nowhere', 0, 'c'),
    );
    expect(outcome).toMatchObject({
      kind: 'refused',
      refusals: [
        { index: 0, code: 3 },
        { index: 2, code: 3 },
      ],
    });
    expect(producer.state).toBe('READY');
  });

  it('offset metadata larger than the broker allows says so', async () => {
    const offsets = [offset(0, 1), offset(1, 1, 'x'.repeat(5_000))];
    const outcome = await world.settle(producer.commit({ batches: [], offsets, fence }));
    expect(outcome).toMatchObject({ kind: 'aborted', reason: { code: 'CELLS_TOO_LARGE', where: { topic: 'input', partition: 1 } } });
  });

  it('close() finishes the transaction in flight', async () => {
    const commit = producer.commit({ batches: [toProduce('output', 0, 'a')], offsets: [offset(0, 1)], fence });
    const closing = producer.close();
    expect(await world.settle(commit)).toMatchObject({ kind: 'committed' });
    await world.settle(closing);
    expect(producer.state).toBe('CLOSED');
    await expect(producer.commit({ batches: [], offsets: [offset(0, 2)], fence })).rejects.toMatchObject({ code: 'APPLICATION_CLOSED' });
  });

  it('close() aborts a transaction that does not finish in time', async () => {
    world.answer('txnOffsetCommit', 14, Infinity);
    const commit = producer.commit({ batches: [toProduce('output', 0, 'a')], offsets: [offset(0, 1)], fence });
    await world.settle(producer.close(2_000));
    expect(await world.settle(commit)).toMatchObject({ kind: 'aborted' });
    expect(world.clock.monotonic()).toBeLessThan(5_000);
    expect(await world.committed('output', 0)).toEqual([]);
  });

  it('close() does not wait for a join that never ends', async () => {
    world.answer('txnOffsetCommit', 27, Infinity);
    const endless = fenceOf(member, () => new Promise(() => undefined));
    const commit = producer.commit({ batches: [], offsets: [offset(0, 1)], fence: endless });
    await world.settle(producer.close(1_000));
    expect(await world.settle(commit)).toMatchObject({ kind: 'aborted' });
    expect(world.clock.monotonic()).toBeLessThan(3_000);
  });

  it('a refusal is told although the offsets wait for a join', async () => {
    world.broker.createTopic('small', 1, { 'max.message.bytes': '200' });
    world.answer('txnOffsetCommit', 27);
    const endless = fenceOf(member, () => new Promise(() => undefined));
    const outcome = await world.commit(producer, endless, 1, toProduce('small', 0, 'x'.repeat(500)));
    expect(outcome).toMatchObject({ kind: 'refused' });
  });

  it('abandon() sends nothing more: the transaction stays open, as after a kill', async () => {
    world.answer('txnOffsetCommit', 14, Infinity);
    const commit = producer.commit({ batches: [toProduce('output', 0, 'a')], offsets: [offset(0, 1)], fence });
    await world.until(() => world.count('txnOffsetCommit') > 3);
    producer.abandon();
    await expect(world.settle(commit)).rejects.toThrow();
    expect(world.apis()).not.toContain('endTxn');
    expect(world.broker.transactions()).toMatchObject([{ state: 'ongoing' }]);
  });
});

describe('InitProducerId', () => {
  let world: Simulated;

  beforeEach(() => {
    world = new Simulated();
    world.broker.createTopic('input', 1);
    world.broker.createTopic('output', 1);
  });

  afterEach(() => {
    world.close();
  });

  it.each([51, 14, 15, 16])('answered %i is retried', async (code) => {
    world.answer('initProducerId', code, 3);
    const producer = await world.initialised();
    expect(producer.state).toBe('READY');
    expect(world.count('initProducerId')).toBe(4);
  });

  it('refused for its timeout names the option', async () => {
    const producer = world.producer({ transactionTimeoutMs: 16 * 60_000 });
    await expect(world.settle(producer.initialise())).rejects.toMatchObject({ code: 'CONFIG', where: { option: 'transactionTimeoutMs' } });
  });

  it('C2: ends what a predecessor left open at once', async () => {
    const dead = await world.initialised();
    const fence = fenceOf(await world.join());
    world.answer('endTxn', 14, Infinity);
    const commit = dead.commit({ batches: [toProduce('output', 0, 'a')], offsets: [offset(0, 1)], fence });
    await world.until(() => world.count('endTxn') > 0);
    dead.abandon();
    await expect(world.settle(commit)).rejects.toThrow();
    world.broker.faults.clear();
    const before = world.clock.monotonic();
    await world.initialised();
    expect(world.clock.monotonic() - before).toBeLessThan(1_000);
    expect(await world.committed('output', 0)).toEqual([]);
  });

  it('happens once per process start: two hundred transactions and two assignments later it was sent once', async () => {
    const producer = await world.initialised();
    const member = await world.join();
    for (let i = 0; i < 200; i++) await world.commit(producer, fenceOf(member), i + 1, toProduce('output', 0, `${i}`));
    const rejoined = await world.join(member.memberId);
    await world.commit(producer, fenceOf(rejoined), 201, toProduce('output', 0, 'last'));
    expect(world.count('initProducerId')).toBe(1);
  });
});
