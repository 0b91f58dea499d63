/** The rules of commit that came from failure analysis, one by one: what ends an epoch, what settles an unknown outcome, who may initialise. */
import type { GroupFence } from '../../src/kafka/group-fence';
import type { MemberIdentity } from '../../src/kafka/port';
import type { TransactionalProducer } from '../../src/kafka/transaction';
import { fenceOf, offset, Simulated, toProduce, TRANSACTIONAL_ID } from './simulated';

let world: Simulated;
let producer: TransactionalProducer;
let member: MemberIdentity;
let fence: GroupFence;
let renewals: number[];

beforeEach(async () => {
  world = new Simulated();
  world.broker.createTopic('input', 2);
  world.broker.createTopic('output', 2);
  producer = await world.initialised();
  member = await world.join();
  renewals = [];
  fence = fenceOf(member, (code) => {
    renewals.push(code);
    return Promise.resolve(member);
  });
  world.heard.length = 0;
});

afterEach(() => {
  world.close();
});

const epoch = (): number => producer.identity!.producerEpoch;

describe('an answer to EndTxn that was never read', () => {
  it.each(['disconnect', 'hang'] as const)(
    'K6: (%s) is settled by repeating it: what was in truth committed gives committed',
    async (how) => {
      world.loseAnswer('endTxn', how);
      expect(await world.commit(producer, fence, 4, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'committed' });
      expect(world.count('endTxn')).toBeGreaterThanOrEqual(2);
      expect(await world.committed('output', 0)).toEqual(['a']);
      expect(world.committedOffset()).toBe(4);
    },
  );

  it('K6: of a request that never arrived is settled by repeating it', async () => {
    world.broker.faults.add({ match: ({ api }) => api === 'endTxn', action: { kind: 'fail before' }, times: 3 });
    expect(await world.commit(producer, fence, 4, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'committed' });
    await world.clock.advance(1_000);
    expect(world.committedOffset()).toBe(4);
  });

  it('ends the epoch before the next transaction begins', async () => {
    const before = epoch();
    world.loseAnswer('endTxn');
    await world.commit(producer, fence, 1, toProduce('output', 0, 'a'));
    await world.commit(producer, fence, 2, toProduce('output', 0, 'b'));
    expect(epoch()).toBe(before + 1);
    expect(world.apis().indexOf('initProducerId')).toBeGreaterThan(
      world.apis().lastIndexOf('endTxn', world.apis().indexOf('initProducerId')),
    );
    expect(await world.committed('output', 0)).toEqual(['a', 'b']);
  });

  it('left open by 90 is committed when the committed offsets say so', async () => {
    world.loseAnswer('endTxn');
    world.broker.faults.add({
      match: ({ api }) => api === 'endTxn' && world.count('endTxn') === 2,
      action: { kind: 'answer', errorCode: 90 },
    });
    expect(await world.commit(producer, fence, 4, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'committed' });
    expect(world.apis()).toContain('offsetFetch');
    expect(renewals).toEqual([90]);
    expect(await world.commit(producer, fence, 5, toProduce('output', 0, 'b'))).toMatchObject({ kind: 'committed' });
    expect(await world.committed('output', 0)).toEqual(['a', 'b']);
  });

  it('left open by 48 is aborted when the committed offsets say so', async () => {
    await world.commit(producer, fence, 3);
    world.heard.length = 0;
    world.broker.faults.add({ match: ({ api }) => api === 'endTxn', action: { kind: 'fail before' } });
    world.broker.faults.add({
      match: ({ api }) => api === 'endTxn' && world.count('endTxn') === 2,
      action: { kind: 'answer', errorCode: 48 },
    });
    expect(await world.commit(producer, fence, 4, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'aborted' });
    await world.clock.advance(1_000);
    expect(world.committedOffset()).toBe(3);
    expect(await world.commit(producer, fence, 4, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'committed' });
    expect(await world.committed('output', 0)).toEqual(['a']);
  });

  it('and unchanged offsets: those that did change decide', async () => {
    await world.settle(producer.commit({ batches: [], offsets: [offset(0, 3), offset(1, 8)], fence }));
    world.loseAnswer('endTxn');
    world.broker.faults.add({
      match: ({ api }) => api === 'endTxn' && world.count('endTxn') === 3,
      action: { kind: 'answer', errorCode: 90 },
    });
    const offsets = [offset(0, 3), offset(1, 8, 'a timer fired')];
    const outcome = await world.settle(producer.commit({ batches: [toProduce('output', 0, 'a')], offsets, fence }));
    expect(outcome).toMatchObject({ kind: 'committed' });
  });

  it('and unchanged offsets: they prove nothing when the transaction never took place', async () => {
    await world.settle(producer.commit({ batches: [], offsets: [offset(0, 3), offset(1, 8)], fence }));
    world.broker.faults.add({ match: ({ api }) => api === 'endTxn', action: { kind: 'fail before' } });
    world.broker.faults.add({
      match: ({ api }) => api === 'endTxn' && world.count('endTxn') === 3,
      action: { kind: 'answer', errorCode: 90 },
    });
    const offsets = [offset(0, 3), offset(1, 8, 'a timer fired')];
    const outcome = await world.settle(producer.commit({ batches: [toProduce('output', 0, 'a')], offsets, fence }));
    expect(outcome).toMatchObject({ kind: 'aborted' });
    expect(await world.committed('output', 0)).toEqual([]);
  });

  it('an old copy of EndTxn that is executed late does not commit the transaction after it', async () => {
    world.broker.faults.add({ match: ({ api }) => api === 'endTxn', action: { kind: 'duplicate later', afterMs: 500 } });
    expect(await world.commit(producer, fence, 1, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'committed' });
    // The next transaction has written when the old copy comes, and is then aborted.
    world.broker.faults.add({ match: ({ api }) => api === 'txnOffsetCommit', action: { kind: 'delay', ms: 2_000 } });
    const next = producer.commit({ batches: [toProduce('output', 0, 'b')], offsets: [offset(0, 2)], fence });
    await world.clock.advance(1_500);
    expect(await world.settle(next)).toMatchObject({ kind: 'committed' });
    expect(await world.committed('output', 0)).toEqual(['a', 'b']);
    expect(world.committedOffset()).toBe(2);
  });

  it('not settled within the budget rejects, and recover() makes the producer usable again', async () => {
    const down = world.broker.faults.add({ match: ({ api }) => api === 'endTxn', action: { kind: 'fail before' }, times: Infinity });
    const commit = producer.commit({ batches: [toProduce('output', 0, 'a')], offsets: [offset(0, 1)], fence });
    await expect(world.settle(commit)).rejects.toMatchObject({
      code: 'BROKERS_UNREACHABLE',
      message: expect.stringContaining('to be committed') as string,
    });
    expect(producer.state).toBe('RECOVERING');
    down.remove();
    expect(await world.settle(producer.recover())).toBeUndefined();
    expect(await world.commit(producer, fence, 1, toProduce('output', 0, 'b'))).toMatchObject({ kind: 'committed' });
    expect(await world.committed('output', 0)).toEqual(['b']);
  });
});

describe('an abort', () => {
  it('ends the epoch, so that the same work done again is not taken for a repeat of the aborted one', async () => {
    const before = epoch();
    world.answer('txnOffsetCommit', 30);
    expect(await world.commit(producer, fence, 1, toProduce('output', 0, 'a', 'b'))).toMatchObject({ kind: 'aborted' });
    expect(epoch()).toBe(before + 1);
    expect(await world.commit(producer, fence, 1, toProduce('output', 0, 'a', 'b'))).toMatchObject({
      kind: 'committed',
      // Two records and a marker of the aborted one, two records.
      ends: [{ topic: 'output', partition: 0, next: 5 }],
    });
    expect(await world.committed('output', 0)).toEqual(['a', 'b']);
  });

  it('given a broker that took a batch for the repeat of an aborted one, the transaction is not committed', async () => {
    expect(await world.commit(producer, fence, 1, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'committed' });
    // What a broker would say that still knows the sequence.
    const { produce } = world.port;
    world.port.produce = async (node, request) => {
      const answer = await produce.call(world.port, node, request);
      return { partitions: answer.partitions.map((each) => ({ ...each, baseOffset: 0 })) };
    };
    expect(await world.commit(producer, fence, 2, toProduce('output', 0, 'b'))).toMatchObject({
      kind: 'aborted',
      reason: { code: 'PROTOCOL', where: { topic: 'output', partition: 0, offset: 0 } },
    });
  });

  it('frees readers at once', async () => {
    world.answer('txnOffsetCommit', 30);
    await world.commit(producer, fence, 1, toProduce('output', 0, 'a'));
    await world.clock.advance(100);
    const { lastStableOffset, highWatermark } = world.broker.partition({ topic: 'output', partition: 0 })!;
    expect(lastStableOffset).toBe(highWatermark);
  });

  it('a renewal whose answer was lost is repeated and gives the same epoch', async () => {
    const before = epoch();
    world.answer('txnOffsetCommit', 30);
    world.loseAnswer('initProducerId', 'disconnect', 2);
    expect(await world.commit(producer, fence, 1, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'aborted' });
    expect(epoch()).toBe(before + 1);
    expect(await world.commit(producer, fence, 1, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'committed' });
  });

  it('a Produce executed late, after its transaction was aborted, leaves nothing in the log', async () => {
    world.broker.faults.add({ match: ({ api }) => api === 'produce', action: { kind: 'duplicate later', afterMs: 1_000 } });
    world.answer('txnOffsetCommit', 30);
    expect(await world.commit(producer, fence, 1, toProduce('output', 0, 'old'))).toMatchObject({ kind: 'aborted' });
    expect(await world.commit(producer, fence, 1, toProduce('output', 0, 'new'))).toMatchObject({ kind: 'committed' });
    await world.clock.advance(5_000);
    expect(await world.committed('output', 0)).toEqual(['new']);
    const { openTransactions } = world.broker.partition({ topic: 'output', partition: 0 })!;
    expect(openTransactions).toEqual([]);
  });
});

describe('an answer that was never read inside a transaction', () => {
  it.each(['addPartitionsToTxn', 'addOffsetsToTxn', 'produce', 'txnOffsetCommit'] as const)(
    'of %s is repeated, and the epoch ends before the next transaction',
    async (api) => {
      const before = epoch();
      world.loseAnswer(api);
      expect(await world.commit(producer, fence, 1, toProduce('output', 0, 'a', 'b'))).toMatchObject({ kind: 'committed' });
      expect(await world.commit(producer, fence, 2, toProduce('output', 0, 'c'))).toMatchObject({ kind: 'committed' });
      expect(epoch()).toBe(before + 1);
      expect(await world.committed('output', 0)).toEqual(['a', 'b', 'c']);
      expect(world.committedOffset()).toBe(2);
    },
  );

  it('an offset commit executed late does not put the group back', async () => {
    world.broker.faults.add({ match: ({ api }) => api === 'txnOffsetCommit', action: { kind: 'duplicate later', afterMs: 400 } });
    await world.commit(producer, fence, 1, toProduce('output', 0, 'a'));
    // The old copy comes while the next transaction has sent its offsets and not ended.
    world.broker.faults.add({ match: ({ api }) => api === 'endTxn', action: { kind: 'delay', ms: 1_000 } });
    await world.commit(producer, fence, 2, toProduce('output', 0, 'b'));
    await world.clock.advance(1_000);
    expect(world.committedOffset()).toBe(2);
  });
});

describe('47 and 90', () => {
  it('after a timeout at the broker: the member is asked, the epoch renewed, the work may be done again', async () => {
    world.broker.faults.add({ match: ({ api }) => api === 'txnOffsetCommit', action: { kind: 'hang', executeAfterMs: 70_000 } });
    const slow = world.producer({ transactionalId: 'app-2-0', transactionTimeoutMs: 10_000 });
    await world.settle(slow.initialise());
    const outcome = await world.commit(slow, fence, 1, toProduce('output', 0, 'a'));
    expect(outcome).toMatchObject({ kind: 'aborted' });
    expect(slow.state).toBe('READY');
    expect(await world.commit(slow, fence, 1, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'committed' });
    expect(await world.committed('output', 0)).toEqual(['a']);
  });

  it('during the transaction (a fault says 90, as after a timeout) lead to InitProducerId with (id, epoch), never a plain one', async () => {
    world.answer('txnOffsetCommit', 90);
    expect(await world.commit(producer, fence, 1, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'aborted' });
    expect(renewals).toEqual([90]);
    const inits = world.heard.filter(({ api }) => api === 'initProducerId');
    expect(inits.length).toBeGreaterThan(0);
    for (const { request } of inits) expect(request).toMatchObject({ current: { producerEpoch: 0 } });
    expect(await world.commit(producer, fence, 1, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'committed' });
  });

  it("another process that took the id fences us: 'fenced', now and ever after, and nothing is initialised plainly", async () => {
    await world.settle(
      world.other('successor').initProducerId(await world.coordinator('transaction', TRANSACTIONAL_ID), {
        transactionalId: TRANSACTIONAL_ID,
        transactionTimeoutMs: 45_000,
      }),
    );
    expect(await world.commit(producer, fence, 1, toProduce('output', 0, 'a'))).toMatchObject({
      kind: 'fenced',
      reason: { code: 'FENCED' },
    });
    expect(producer.state).toBe('FENCED');
    const sent = world.heard.length;
    expect(await producer.commit({ batches: [], offsets: [offset(0, 1)], fence })).toMatchObject({ kind: 'fenced' });
    expect(await producer.recover()).toMatchObject({ code: 'FENCED' });
    expect(world.heard).toHaveLength(sent);
    expect(await world.committed('output', 0)).toEqual([]);
  });

  it('a zombie that lost its generation initialises nothing, so that the new owner keeps its open transaction', async () => {
    const successor = world.producer({ port: world.other('successor') });
    await world.settle(successor.initialise());
    world.answer('endTxn', 14, 20);
    const theirs = successor.commit({ batches: [toProduce('output', 0, 'theirs')], offsets: [offset(0, 9)], fence });
    await world.until(() => world.count('endTxn') > 0);
    world.heard.length = 0;

    const outcome = await world.commit(
      producer,
      fenceOf(member, () => Promise.resolve(undefined)),
      1,
      toProduce('output', 1, 'zombie'),
    );
    expect(outcome).toMatchObject({ kind: 'lost' });
    expect(producer.state).toBe('RECOVERING');
    expect(world.apis()).not.toContain('initProducerId');
    expect(await world.settle(theirs)).toMatchObject({ kind: 'committed' });
    expect(await world.committed('output', 0)).toEqual(['theirs']);
    expect(await world.settle(producer.recover())).toMatchObject({ code: 'FENCED' });
  });
});

describe('the generation', () => {
  it('22 while a join is under way: the same transaction goes on under the new generation', async () => {
    let current = member;
    const rejoined = await world.join(member.memberId);
    expect(rejoined.generationId).toBeGreaterThan(member.generationId);
    world.heard.length = 0;
    const outcome = await world.commit(
      producer,
      {
        identity: () => current,
        renew: (code) => {
          renewals.push(code);
          current = rejoined;
          return Promise.resolve(rejoined);
        },
      },
      6,
      toProduce('output', 0, 'a'),
    );
    expect(outcome).toMatchObject({ kind: 'committed' });
    expect(renewals).toEqual([22]);
    expect(world.count('addPartitionsToTxn')).toBe(1);
    await world.clock.advance(1_000);
    expect(world.committedOffset()).toBe(6);
  });

  it('is read when the offsets are sent, not when the transaction begins', async () => {
    let current = member;
    world.broker.faults.add({ match: ({ api }) => api === 'addOffsetsToTxn', action: { kind: 'delay', ms: 50 } });
    const moving: GroupFence = { identity: () => current, renew: () => Promise.resolve(undefined) };
    const commit = producer.commit({ batches: [], offsets: [offset(0, 2)], fence: moving });
    const rejoined = await world.join(member.memberId);
    current = rejoined;
    expect(await world.settle(commit)).toMatchObject({ kind: 'committed' });
    expect(world.heard.find(({ api }) => api === 'txnOffsetCommit')!.request).toMatchObject({ generationId: rejoined.generationId });
  });

  it('R17: 22 when a task has left: lost, aborted, and recovered after the rejoin without a new transactional id', async () => {
    const before = epoch();
    const rejoined = await world.join(member.memberId);
    world.heard.length = 0;
    const outcome = await world.commit(
      producer,
      fenceOf(member, () => Promise.resolve(undefined)),
      6,
      toProduce('output', 0, 'a'),
    );
    expect(outcome).toMatchObject({ kind: 'lost', reason: { code: 'FENCED' } });
    expect(world.heard.filter(({ api }) => api === 'endTxn').map(({ request }) => 'commit' in request && request.commit)).toEqual([false]);
    expect(world.apis()).not.toContain('initProducerId');
    expect(await world.committed('output', 0)).toEqual([]);
    expect(world.committedOffset()).toBeUndefined();

    expect(await world.settle(producer.recover())).toBeUndefined();
    expect(epoch()).toBe(before + 1);
    expect(await world.commit(producer, fenceOf(rejoined), 6, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'committed' });
    expect(await world.committed('output', 0)).toEqual(['a']);
  });

  it.each([25, 82])('%i is lost: EndTxn(abort) frees readers, the epoch waits for the rejoin', async (code) => {
    world.answer('txnOffsetCommit', code);
    expect(await world.commit(producer, fence, 6, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'lost' });
    expect(renewals).toEqual([]);
    expect(world.apis()).not.toContain('initProducerId');
    expect(producer.state).toBe('RECOVERING');
    expect(await world.committed('output', 0)).toEqual([]);
    await expect(producer.commit({ batches: [], offsets: [offset(0, 6)], fence })).rejects.toMatchObject({ code: 'PROTOCOL' });
  });

  it('a changed member id is lost, before any offset is sent', async () => {
    let calls = 0;
    const changing: GroupFence = {
      identity: () => (calls++ < 2 ? member : { ...member, memberId: 'somebody new' }),
      renew: () => Promise.resolve(member),
    };
    expect(await world.commit(producer, changing, 6, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'lost' });
    expect(world.apis()).not.toContain('txnOffsetCommit');
  });

  it('that there is none of is never sent: the broker would not check it', async () => {
    const outside: GroupFence = fenceOf({ ...member, generationId: -1 });
    expect(await world.commit(producer, outside, 6, toProduce('output', 0, 'a'))).toMatchObject({ kind: 'lost' });
    expect(world.apis()).not.toContain('txnOffsetCommit');
    expect(await world.committed('output', 0)).toEqual([]);
  });

  it('a join that outlasts the transaction makes it lost instead of holding it open', async () => {
    world.answer('txnOffsetCommit', 27);
    const outcome = await world.commit(
      producer,
      fenceOf(member, () => new Promise(() => undefined)),
      6,
      toProduce('output', 0, 'a'),
    );
    expect(outcome).toMatchObject({ kind: 'lost' });
    expect(world.clock.monotonic()).toBeLessThan(45_000);
  });
});

describe('several brokers', () => {
  it('one cheap request goes to the transaction coordinator after EndTxn, so that it completes the transaction', async () => {
    world.close();
    world = new Simulated({ brokers: 3 });
    world.broker.createTopic('input', 2);
    world.broker.createTopic('output', 6);
    producer = await world.initialised();
    member = await world.join();
    const batches = Array.from({ length: 6 }, (_, partition) => toProduce('output', partition, `${partition}`));
    world.heard.length = 0;
    expect(await world.commit(producer, fenceOf(member), 1, ...batches)).toMatchObject({ kind: 'committed' });
    await world.clock.advance(100);
    const coordinator = await world.coordinator('transaction', TRANSACTIONAL_ID);
    expect(world.heard.filter(({ api }) => api === 'listOffsets').map(({ node }) => node)).toEqual([coordinator]);
  });
});
