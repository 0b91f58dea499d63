import type { MemberIdentity, OffsetToCommit, TopicPartition } from '../../../src/kafka/port';
import { GroupClient, gather } from './group-client';
import { TransactionalClient } from './transactional-client';
import type { Workbench } from './workbench';

interface Committed {
  readonly errorCode: number;
  readonly offset: number;
  readonly metadata: string;
}

async function fetchOffset(bench: Workbench, groupId: string, of: TopicPartition, requireStable: boolean): Promise<Committed> {
  const node = await bench.coordinator('group', groupId);
  return bench.eventually('OffsetFetch is answered', async () => {
    const answer = await bench.port.offsetFetch(node, { groupId, requireStable, partitions: [of] });
    if (answer.errorCode === 14) return undefined;
    expect(answer.errorCode).toBe(0);
    const { errorCode, offset, metadata } = answer.partitions[0]!;
    return { errorCode, offset, metadata };
  });
}

/** The committed offset, as soon as no transaction holds it. */
function stableOffset(bench: Workbench, groupId: string, of: TopicPartition): Promise<Committed> {
  return bench.eventually('the offset is stable', async () => {
    const committed = await fetchOffset(bench, groupId, of, true);
    return committed.errorCode === 88 ? undefined : committed;
  });
}

const at = (of: TopicPartition, offset: number, metadata = ''): OffsetToCommit => ({ ...of, offset, metadata });
const NONE = { errorCode: 0, offset: -1, metadata: '' };
const UNSTABLE = { errorCode: 88, offset: -1, metadata: '' };

export function transactionalOffsetsChapter(bench: () => Workbench): void {
  it('answers offsets of a transaction that has not announced the group 48, whoever commits them', async () => {
    const of = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    const groupId = bench().name('group');
    expect(await client.commitOffsets(groupId, [at(of, 1)])).toEqual([48]);
    expect(await client.commitOffsets(groupId, [at(of, 1)], { memberId: 'stranger', generationId: 3 })).toEqual([48]);
  });

  it('checks member and generation, and nothing of an anonymous commit (KIP-447)', async () => {
    const of = await bench().partition();
    const member = await GroupClient.create(bench(), bench().name('group'));
    await gather(member);
    const { groupId, memberId, generationId } = member;
    const client = await TransactionalClient.initialised(bench());
    await client.joinOffsets(groupId);
    const commit = async (identity: Partial<MemberIdentity>): Promise<number> =>
      (await client.commitOffsets(groupId, [at(of, 1)], identity))[0]!;
    expect(await commit({ memberId, generationId })).toBe(0);
    expect(await commit({ memberId, generationId: generationId - 1 })).toBe(22);
    expect(await commit({ memberId, generationId: generationId + 1 })).toBe(22);
    expect(await commit({ memberId: 'stranger', generationId })).toBe(25);
    expect(await commit({ memberId: '', generationId: -1 })).toBe(0);
    await client.end(true);
    await member.leave();
  });

  it('does not let a refused commit spoil the transaction: EndTxn goes through, the manager has to forbid it', async () => {
    const of = await bench().partition();
    const member = await GroupClient.create(bench(), bench().name('group'));
    await gather(member);
    const client = await TransactionalClient.initialised(bench());
    await client.joinOffsets(member.groupId);
    expect(await client.commitOffsets(member.groupId, [at(of, 1)], { ...member.identity, generationId: 7 })).toEqual([22]);
    expect(await client.end(true)).toBe(0);
    expect(await stableOffset(bench(), member.groupId, of)).toEqual(NONE);
    await member.leave();
  });

  it('keeps offsets of an open transaction back: 88 for the partitions it touches, the old value for who does not ask for stable ones', async () => {
    const topic = await bench().topic(2);
    const [touched, other] = [0, 1].map((partition) => ({ topic, partition })) as [TopicPartition, TopicPartition];
    const groupId = bench().name('group');
    const client = await TransactionalClient.initialised(bench());
    await client.joinOffsets(groupId);
    expect(await client.commitOffsets(groupId, [at(touched, 3, 'three'), at(other, 9)])).toEqual([0, 0]);
    await client.end(true);
    expect(await stableOffset(bench(), groupId, touched)).toEqual({ errorCode: 0, offset: 3, metadata: 'three' });
    await client.joinOffsets(groupId);
    expect(await client.commitOffsets(groupId, [at(touched, 5)])).toEqual([0]);
    expect(await fetchOffset(bench(), groupId, touched, true)).toEqual(UNSTABLE);
    expect(await fetchOffset(bench(), groupId, touched, false)).toEqual({ errorCode: 0, offset: 3, metadata: 'three' });
    expect(await stableOffset(bench(), groupId, other)).toEqual({ errorCode: 0, offset: 9, metadata: '' });
    await client.end(true);
    expect(await stableOffset(bench(), groupId, touched)).toEqual({ errorCode: 0, offset: 5, metadata: '' });
  });

  it('forgets the offsets of an aborted transaction', async () => {
    const of = await bench().partition();
    const groupId = bench().name('group');
    const client = await TransactionalClient.initialised(bench());
    await client.joinOffsets(groupId);
    await client.commitOffsets(groupId, [at(of, 4)]);
    await client.end(false);
    expect(await stableOffset(bench(), groupId, of)).toEqual(NONE);
  });

  it('commits records and offsets together', async () => {
    const [input, output] = [await bench().partition(), await bench().partition()];
    const groupId = bench().name('group');
    for (const commit of [false, true]) {
      const client = await TransactionalClient.initialised(bench());
      await client.write(output, commit ? 'kept' : 'aborted');
      await client.joinOffsets(groupId);
      expect(await client.commitOffsets(groupId, [at(input, commit ? 2 : 1)])).toEqual([0]);
      expect(await client.end(commit)).toBe(0);
      await bench().stable(output);
      expect((await stableOffset(bench(), groupId, input)).offset).toBe(commit ? 2 : -1);
    }
    expect(await bench().read(output)).toEqual(['kept']);
  });

  it('takes 4,096 bytes of metadata, and answers more 12', async () => {
    const of = await bench().partition();
    const groupId = bench().name('group');
    const client = await TransactionalClient.initialised(bench());
    await client.joinOffsets(groupId);
    expect(await client.commitOffsets(groupId, [at(of, 1, 'x'.repeat(4_097))])).toEqual([12]);
    expect(await client.commitOffsets(groupId, [at(of, 1, 'ü'.repeat(2_048))])).toEqual([0]);
    await client.end(true);
    expect((await stableOffset(bench(), groupId, of)).metadata).toBe('ü'.repeat(2_048));
  });

  it('answers a partition that does not exist 3, and takes the others', async () => {
    const of = await bench().partition();
    const groupId = bench().name('group');
    const client = await TransactionalClient.initialised(bench());
    await client.joinOffsets(groupId);
    expect(await client.commitOffsets(groupId, [at({ ...of, partition: 8 }, 1), at(of, 1)])).toEqual([3, 0]);
    await client.end(false);
  });

  it('takes the old generation while a join is pending; after it 22 for the old one, 0 for the new, before any SyncGroup', async () => {
    const of = await bench().partition();
    const groupId = bench().name('group');
    const [member, other] = [await GroupClient.create(bench(), groupId), await GroupClient.create(bench(), groupId)];
    await gather(member);
    const old = member.identity;
    const client = await TransactionalClient.initialised(bench());
    await client.joinOffsets(groupId);
    const commit = async (identity: MemberIdentity): Promise<number> => (await client.commitOffsets(groupId, [at(of, 1)], identity))[0]!;

    other.memberId = (await other.join()).memberId;
    const entering = other.enter();
    await member.called();
    expect(await commit(old)).toBe(0);
    await Promise.all([member.enter(), entering]);

    expect(member.generationId).toBe(old.generationId + 1);
    expect(await commit(old)).toBe(22);
    expect(await commit(member.identity)).toBe(0);
    expect(await client.end(true)).toBe(0);
    expect((await stableOffset(bench(), groupId, of)).offset).toBe(1);
    for (const each of [member, other]) await each.leave();
  });

  it('takes the old generation while the member’s own join is pending', async () => {
    const of = await bench().partition();
    const groupId = bench().name('group');
    const [member, other] = [await GroupClient.create(bench(), groupId), await GroupClient.create(bench(), groupId)];
    await gather(member, other);
    const [leader, follower] = member.isLeader ? [member, other] : [other, member];
    const old = leader.identity;
    const client = await TransactionalClient.initialised(bench());
    await client.joinOffsets(groupId);
    const rejoining = leader.enter();
    await follower.called();
    expect(await client.commitOffsets(groupId, [at(of, 1)], old)).toEqual([0]);
    await Promise.all([rejoining, follower.enter()]);
    expect(await client.commitOffsets(groupId, [at(of, 1)], old)).toEqual([22]);
    expect(await client.commitOffsets(groupId, [at(of, 1)], leader.identity)).toEqual([0]);
    await client.end(true);
    for (const each of [member, other]) await each.leave();
  });

  it('answers a static member whose id was taken over 82', async () => {
    const of = await bench().partition();
    const groupId = bench().name('group');
    const old = await GroupClient.create(bench(), groupId, { groupInstanceId: 'one' });
    await gather(old);
    const client = await TransactionalClient.initialised(bench());
    await client.joinOffsets(groupId);
    expect(await client.commitOffsets(groupId, [at(of, 1)], old.identity)).toEqual([0]);
    const young = await GroupClient.create(bench(), groupId, { groupInstanceId: 'one' });
    await young.enter();
    expect(await client.commitOffsets(groupId, [at(of, 1)], old.identity)).toEqual([82]);
    expect(await client.commitOffsets(groupId, [at(of, 1)], young.identity)).toEqual([0]);
    await client.end(false);
    await young.leave();
  });

  it('answers a fenced holder 47, and its commit of before is gone', async () => {
    const of = await bench().partition();
    const groupId = bench().name('group');
    const zombie = await TransactionalClient.initialised(bench());
    await zombie.joinOffsets(groupId);
    await zombie.commitOffsets(groupId, [at(of, 1)]);
    await TransactionalClient.initialised(bench(), zombie.transactionalId);
    expect(await stableOffset(bench(), groupId, of)).toEqual(NONE);
    expect(await zombie.commitOffsets(groupId, [at(of, 1)])).toEqual([47]);
  });
}

export function groupOffsetsChapter(bench: () => Workbench): void {
  const commit = async (identity: MemberIdentity, ...partitions: OffsetToCommit[]): Promise<number[]> => {
    const node = await bench().coordinator('group', identity.groupId);
    const answer = await bench().port.offsetCommit(node, { ...identity, partitions });
    return partitions.map((each) => answer.partitions.find(({ partition }) => partition === each.partition)!.errorCode);
  };
  const anonymous = (groupId: string): MemberIdentity => ({ groupId, memberId: '', generationId: -1, groupInstanceId: null });

  it('has no offset, -1, for a group or a partition nobody has committed', async () => {
    const of = await bench().partition();
    const groupId = bench().name('group');
    expect(await fetchOffset(bench(), groupId, of, true)).toEqual(NONE);
    expect(await fetchOffset(bench(), groupId, { topic: bench().name('missing'), partition: 0 }, false)).toEqual(NONE);
  });

  it('keeps what an empty group commits without members', async () => {
    const of = await bench().partition();
    const groupId = bench().name('group');
    expect(await commit(anonymous(groupId), at(of, 12, 'twelve'), at({ ...of, partition: 6 }, 1))).toEqual([0, 3]);
    expect(await fetchOffset(bench(), groupId, of, true)).toEqual({ errorCode: 0, offset: 12, metadata: 'twelve' });
  });

  it('K20 gives back the very offset that was committed: the next one', async () => {
    const of = await bench().partition();
    const groupId = bench().name('group');
    await bench().write(of, 'a', 'b');
    const { end } = await bench().offsets(of);
    await commit(anonymous(groupId), at(of, end));
    expect((await fetchOffset(bench(), groupId, of, true)).offset).toBe(end);
  });

  it('checks member and generation, and refuses the anonymous while there are members', async () => {
    const of = await bench().partition();
    const member = await GroupClient.create(bench(), bench().name('group'));
    await gather(member);
    const { identity } = member;
    expect(await commit(identity, at(of, 1))).toEqual([0]);
    expect(await commit({ ...identity, generationId: identity.generationId + 1 }, at(of, 2))).toEqual([22]);
    expect(await commit({ ...identity, memberId: 'stranger' }, at(of, 2))).toEqual([25]);
    expect(await commit(anonymous(member.groupId), at(of, 2))).toEqual([25]);
    expect((await fetchOffset(bench(), member.groupId, of, true)).offset).toBe(1);
    await member.leave();
  });

  it('takes the old generation while a join is pending, and answers the new one 27 until it is assigned', async () => {
    const of = await bench().partition();
    const groupId = bench().name('group');
    const [member, other] = [await GroupClient.create(bench(), groupId), await GroupClient.create(bench(), groupId)];
    await gather(member);
    const old = member.identity;
    const entering = other.enter();
    await member.called();
    expect(await commit(old, at(of, 1))).toEqual([0]);
    await Promise.all([member.enter(), entering]);
    expect(await commit(old, at(of, 2))).toEqual([22]);
    expect(await commit(member.identity, at(of, 2))).toEqual([27]);
    await Promise.all([member.sync(), other.sync()]);
    expect(await commit(member.identity, at(of, 2))).toEqual([0]);
    for (const each of [member, other]) await each.leave();
  });

  it('lets a later plain commit stand against a transaction that wrote before it', async () => {
    const of = await bench().partition();
    const groupId = bench().name('group');
    const client = await TransactionalClient.initialised(bench());
    await client.joinOffsets(groupId);
    await client.commitOffsets(groupId, [at(of, 1)]);
    expect(await commit(anonymous(groupId), at(of, 8))).toEqual([0]);
    await client.end(true);
    expect((await stableOffset(bench(), groupId, of)).offset).toBe(8);
  });
}
