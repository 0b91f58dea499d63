import type { ProducerIdentity } from '../../../src/kafka/port';
import { TransactionalClient } from './transactional-client';
import type { Workbench } from './workbench';

export function transactionsChapter(bench: () => Workbench): void {
  it('gives a new id epoch 0, and each plain InitProducerId the next', async () => {
    const client = await TransactionalClient.create(bench());
    const first = await client.begin();
    expect(first.producerEpoch).toBe(0);
    expect(await client.begin()).toEqual({ producerId: first.producerId, producerEpoch: 1 });
  });

  it('answers a transaction timeout of more than 15 minutes 50', async () => {
    const client = await TransactionalClient.initialised(bench());
    expect(await client.init(undefined, 15 * 60_000 + 1)).toMatchObject({ errorCode: 50, producerId: -1n, producerEpoch: -1 });
    expect((await client.init(undefined, 15 * 60_000)).errorCode).toBe(0);
  });

  it('commits to several partitions at once', async () => {
    const topic = await bench().topic(2);
    const client = await TransactionalClient.initialised(bench());
    const [left, right] = [0, 1].map((partition) => ({ topic, partition }));
    expect(await client.add(left!, right!)).toEqual([0, 0]);
    await client.produce(left!, 'l');
    await client.produce(right!, 'r');
    expect(await client.end(true)).toBe(0);
    await bench().stable(left!);
    await bench().stable(right!);
    expect([await bench().read(left!), await bench().read(right!)]).toEqual([['l'], ['r']]);
  });

  it('marks a partition that was added, also when nothing was written to it', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await client.join(to);
    await client.end(false);
    expect(await bench().eventually('the marker is there', async () => (await bench().offsets(to)).end || undefined)).toBe(1);
    expect((await bench().fetch(to)).aborted).toEqual([]);
  });

  it('answers a batch for a partition that was not added 48', async () => {
    const topic = await bench().topic(2);
    const client = await TransactionalClient.initialised(bench());
    expect(await client.produce({ topic, partition: 0 }, 'x')).toMatchObject({ errorCode: 48 });
    await client.join({ topic, partition: 1 });
    expect(await client.produce({ topic, partition: 0 }, 'x')).toMatchObject({ errorCode: 48 });
    await client.end(false);
  });

  it('takes a partition that was added before once more', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await client.join(to);
    expect(await client.add(to)).toEqual([0]);
    await client.produce(to, 'x');
    expect(await client.add(to)).toEqual([0]);
    expect(await client.end(true)).toBe(0);
  });

  it('adds none of the partitions when one does not exist: 3 for it, 55 for the others', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    expect(await client.add({ topic: bench().name('missing'), partition: 0 }, to)).toEqual([3, 55]);
    expect(await client.produce(to, 'x')).toMatchObject({ errorCode: 48 });
  });

  it('answers an id nobody has initialised, or another producer id, 49', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    const stranger = await TransactionalClient.create(bench());
    stranger.identity = client.identity;
    expect(await stranger.add(to)).toEqual([49]);
    expect(await stranger.end(true)).toBe(49);
    client.identity = { ...client.identity, producerId: client.identity.producerId + 1_000_000n };
    expect(await client.add(to)).toEqual([49]);
    expect(await client.addOffsets(bench().name('group'))).toBe(49);
    expect(await client.end(true)).toBe(49);
  });

  it('answers a transactional batch without transactional id 53', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await client.join(to);
    expect(await bench().produceBatch(to, client.batch(to, ['x']))).toMatchObject({ errorCode: 53 });
    await client.end(false);
  });

  it('K7 answers 51 while the transaction before is being completed, then 0', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    for (let round = 0; round < 5; round++) {
      const codes: number[] = [];
      await bench().eventually('the partition is added', async () => {
        codes.push(...(await client.add(to)));
        return codes.at(-1) === 51 ? undefined : true;
      });
      expect(codes.at(-1)).toBe(0);
      await client.produce(to, String(round));
      expect(await client.end(true)).toBe(0);
    }
    await bench().stable(to);
    expect(await bench().read(to)).toEqual(['0', '1', '2', '3', '4']);
  });
}

/** What each request of a producer that is no longer the holder is answered. */
async function answersTo(bench: Workbench, client: TransactionalClient): Promise<Record<string, number>> {
  const to = await bench.partition();
  const groupId = bench.name('group');
  return {
    produce: (await client.produce(to, 'zombie')).errorCode,
    addPartitions: (await client.add(to))[0]!,
    addOffsets: await client.addOffsets(groupId),
    txnOffsetCommit: (await client.commitOffsets(groupId, [{ ...to, offset: 1, metadata: '' }]))[0]!,
    commit: await client.end(true),
    abort: await client.end(false),
  };
}
const FENCED = { produce: 47, addPartitions: 90, addOffsets: 90, txnOffsetCommit: 47, commit: 90, abort: 90 };

export function fencingChapter(bench: () => Workbench): void {
  const next = ({ producerId, producerEpoch }: ProducerIdentity): object => ({
    errorCode: 0,
    producerId,
    producerEpoch: producerEpoch + 1,
  });

  it('fences whoever held the id before a plain InitProducerId', async () => {
    const zombie = await TransactionalClient.initialised(bench());
    await TransactionalClient.initialised(bench(), zombie.transactionalId);
    expect(await answersTo(bench(), zombie)).toEqual(FENCED);
    expect(await zombie.init(zombie.identity)).toMatchObject({ errorCode: 90 });
  });

  it('C2 aborts the predecessor’s open transaction at a plain InitProducerId: 51 first, then two epochs on', async () => {
    const to = await bench().partition();
    const predecessor = await TransactionalClient.initialised(bench());
    await predecessor.write(to, 'dangling');
    const successor = await TransactionalClient.create(bench(), predecessor.transactionalId);
    expect((await successor.init()).errorCode).toBe(51);
    await successor.begin();
    expect(successor.identity).toEqual({
      producerId: predecessor.identity.producerId,
      producerEpoch: predecessor.identity.producerEpoch + 2,
    });
    await bench().stable(to);
    expect(await bench().read(to)).toEqual([]);
    expect(await predecessor.produce(to, 'zombie')).toMatchObject({ errorCode: 47 });
    expect(await predecessor.end(true)).toBe(90);
  });

  it('bumps the epoch for its holder, and answers a repeat of that request alike', async () => {
    const client = await TransactionalClient.initialised(bench());
    const { identity } = client;
    expect(await client.init(identity)).toMatchObject(next(identity));
    expect(await client.init(identity)).toMatchObject(next(identity));
    await client.begin(identity);
    expect(await client.init(client.identity)).toMatchObject(next(client.identity));
    expect(await client.init(identity)).toMatchObject({ errorCode: 90 });
  });

  it('aborts the holder’s own open transaction with its next epoch', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    const { identity } = client;
    await client.write(to, 'abandoned');
    expect((await client.init(identity)).errorCode).toBe(51);
    expect(await client.begin(identity)).toEqual({ producerId: identity.producerId, producerEpoch: identity.producerEpoch + 1 });
    await bench().stable(to);
    expect(await bench().read(to)).toEqual([]);
  });

  it('answers another producer id 90', async () => {
    const client = await TransactionalClient.initialised(bench());
    const { producerId, producerEpoch } = client.identity;
    expect(await client.init({ producerId: producerId + 1_000_000n, producerEpoch })).toMatchObject({ errorCode: 90 });
  });

  it('aborts a transaction that outlives its timeout; its holder is told as if fenced, and goes on with the next epoch', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench(), undefined, 1_000);
    await client.write(to, 'too late');
    await bench().eventually('the broker has aborted it', async () => (await bench().offsets(to)).stable > 0 || undefined, 40_000);
    expect(await answersTo(bench(), client)).toEqual(FENCED);
    const { identity } = client;
    expect(await bench().code('InitProducerId', () => client.init(identity))).toBe(0);
    expect(await client.init(identity)).toMatchObject(next(identity));
    await client.begin(identity);
    await client.write(to, 'in time');
    await client.end(true);
    await bench().stable(to);
    expect(await bench().read(to)).toEqual(['in time']);
  }, 60_000);

  it('lets a zombie’s InitProducerId abort its successor’s transaction; the zombie is fenced, the successor goes on', async () => {
    const to = await bench().partition();
    const zombie = await TransactionalClient.initialised(bench());
    const owner = await TransactionalClient.initialised(bench(), zombie.transactionalId);
    await owner.write(to, 'victim');
    expect((await zombie.init(zombie.identity)).errorCode).toBe(51);
    expect(await bench().code('InitProducerId', () => zombie.init(zombie.identity))).toBe(90);
    expect(await owner.end(true)).toBe(90);
    expect(await owner.init(owner.identity)).toMatchObject(next(owner.identity));
    await owner.begin(owner.identity);
    await owner.write(to, 'again');
    expect(await owner.end(true)).toBe(0);
    await bench().stable(to);
    expect(await bench().read(to)).toEqual(['again']);
  });

  it('lets the predecessor go on when its successor has aborted the transaction but not come back', async () => {
    const predecessor = await TransactionalClient.initialised(bench());
    await predecessor.write(await bench().partition(), 'dangling');
    const successor = await TransactionalClient.create(bench(), predecessor.transactionalId);
    expect((await successor.init()).errorCode).toBe(51);
    const { identity } = predecessor;
    await predecessor.begin(identity);
    expect(predecessor.identity.producerEpoch).toBe(identity.producerEpoch + 1);
    await successor.begin();
    expect(successor.identity.producerEpoch).toBe(identity.producerEpoch + 2);
    expect(await predecessor.init(predecessor.identity)).toMatchObject({ errorCode: 90 });
  });
}

export function unknownEndChapter(bench: () => Workbench): void {
  it('answers an EndTxn with nothing added 48', async () => {
    const client = await TransactionalClient.initialised(bench());
    expect([await client.end(true), await client.end(false)]).toEqual([48, 48]);
  });

  it('K6 answers the same EndTxn again 0 when it had decided: 51 while it completes', async () => {
    const to = await bench().partition();
    for (const commit of [true, false]) {
      const client = await TransactionalClient.initialised(bench());
      await client.write(to, commit ? 'committed' : 'aborted');
      expect(await client.end(commit)).toBe(0);
      expect(await client.settle(commit)).toBe(0);
      expect(await client.end(commit)).toBe(0);
    }
    await bench().stable(to);
    expect(await bench().read(to)).toEqual(['committed']);
  });

  it('answers the opposite EndTxn 48, and changes nothing', async () => {
    const to = await bench().partition();
    for (const commit of [true, false]) {
      const client = await TransactionalClient.initialised(bench());
      await client.write(to, commit ? 'committed' : 'aborted');
      expect(await client.end(commit)).toBe(0);
      expect(await client.settle(!commit)).toBe(48);
      expect(await client.settle(commit)).toBe(0);
    }
    await bench().stable(to);
    expect(await bench().read(to)).toEqual(['committed']);
  });

  it('knows the last transaction only: a new one makes an earlier EndTxn end it', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await client.write(to, 'first');
    await client.end(true);
    await client.write(to, 'second');
    expect(await client.end(true)).toBe(0);
    await bench().stable(to);
    expect(await bench().read(to)).toEqual(['first', 'second']);
  });
}
