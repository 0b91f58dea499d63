import type { ProducerIdentity, TopicPartition } from '../../../src/kafka/port';
import { TransactionalClient } from './transactional-client';
import type { Workbench } from './workbench';

/** What the group does for a member that has gone: it looks at its transaction, and ends it in the member's own name. */
export function descriptionChapter(bench: () => Workbench): void {
  const identityOf = ({ producerId, producerEpoch }: ProducerIdentity): ProducerIdentity => ({ producerId, producerEpoch });

  /** It asks with the identity it had, gets the next epoch, and what it commits then is read. */
  async function expectNextEpoch(zombie: TransactionalClient, identity: ProducerIdentity, to: TopicPartition): Promise<void> {
    await zombie.begin(identity);
    expect(zombie.identity).toEqual({ producerId: identity.producerId, producerEpoch: identity.producerEpoch + 1 });
    await zombie.write(to, 'anew');
    expect(await zombie.end(true)).toBe(0);
    await bench().stable(to);
    expect(await bench().read(to)).toEqual(['anew']);
  }

  it('describes a transaction by its state, holder and timeout', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench(), undefined, 50_000);
    const known = { transactionalId: client.transactionalId, errorCode: 0, timeoutMs: 50_000, ...client.identity };
    expect(await client.describe()).toEqual({ ...known, state: 'Empty' });
    await client.write(to, 'a');
    expect(await client.describe()).toEqual({ ...known, state: 'Ongoing' });
    await client.end(true);
    await bench().stable(to);
    expect(await client.settle(true)).toBe(0);
    expect(await client.describe()).toEqual({ ...known, state: 'CompleteCommit' });
    await client.write(to, 'b');
    await client.end(false);
    await bench().stable(to);
    expect(await client.settle(false)).toBe(0);
    expect(await client.describe()).toEqual({ ...known, state: 'CompleteAbort' });
  });

  it('answers an id nobody has initialised 105, and each id for itself', async () => {
    const client = await TransactionalClient.initialised(bench());
    const stranger = await TransactionalClient.create(bench());
    expect(await stranger.describe()).toMatchObject({ errorCode: 105 });
    const node = await bench().coordinator('transaction', client.transactionalId);
    const { transactions } = await bench().port.describeTransactions(node, [client.transactionalId, stranger.transactionalId]);
    const found = Object.fromEntries(transactions.map(({ transactionalId, errorCode }) => [transactionalId, errorCode]));
    expect(found[client.transactionalId]).toBe(0);
    // On a cluster of several the other id may belong to another coordinator.
    expect([105, 16]).toContain(found[stranger.transactionalId]);
  });

  it('lets somebody else end the transaction with what is described: readers go on, and its holder too, with the next epoch', async () => {
    const to = await bench().partition();
    const zombie = await TransactionalClient.initialised(bench());
    await zombie.write(to, 'dangling');
    const { identity } = zombie;
    const leader = await TransactionalClient.create(bench(), zombie.transactionalId);
    expect((await leader.init(identityOf(await leader.describe()))).errorCode).toBe(51);
    await bench().stable(to);
    expect(await bench().read(to)).toEqual([]);
    expect(await zombie.produce(to, 'late')).toMatchObject({ errorCode: 47 });
    expect(await zombie.end(true)).toBe(90);
    await expectNextEpoch(zombie, identity, to);
  });

  it('gives its holder that epoch also when somebody else has asked for it to the end, and asked again', async () => {
    const to = await bench().partition();
    const zombie = await TransactionalClient.initialised(bench());
    await zombie.write(to, 'dangling');
    const { identity } = zombie;
    const leader = await TransactionalClient.create(bench(), zombie.transactionalId);
    for (let round = 0; round < 2; round++) await leader.begin(identity);
    await expectNextEpoch(zombie, identity, to);
  });

  it('answers 90 to who would end it when a restarted holder was faster, and leaves that one alone', async () => {
    const to = await bench().partition();
    const dead = await TransactionalClient.initialised(bench());
    await dead.write(to, 'dangling');
    const leader = await TransactionalClient.create(bench(), dead.transactionalId);
    const described = identityOf(await leader.describe());
    const restarted = await TransactionalClient.initialised(bench(), dead.transactionalId);
    expect(await leader.init(described)).toMatchObject({ errorCode: 90 });
    await restarted.write(to, 'goes on');
    expect(await restarted.end(true)).toBe(0);
    await bench().stable(to);
    expect(await bench().read(to)).toEqual(['goes on']);
  });

  it('does not disturb a transaction that is decided: its commit stands', async () => {
    const to = await bench().partition();
    const gone = await TransactionalClient.initialised(bench());
    await gone.write(to, 'kept');
    const leader = await TransactionalClient.create(bench(), gone.transactionalId);
    const described = identityOf(await leader.describe());
    expect(await gone.end(true)).toBe(0);
    await leader.begin(described);
    await bench().stable(to);
    expect(await bench().read(to)).toEqual(['kept']);
    expect(leader.identity.producerEpoch).toBe(described.producerEpoch + 1);
  });
}
