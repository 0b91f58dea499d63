import { GroupClient, gather } from './group-client';
import type { Workbench } from './workbench';

export function groupsChapter(bench: () => Workbench): void {
  const pair = async (): Promise<[GroupClient, GroupClient]> => {
    const groupId = bench().name('group');
    return [await GroupClient.create(bench(), groupId), await GroupClient.create(bench(), groupId)];
  };

  it('gives a first JoinGroup an id to join with: 79', async () => {
    const client = await GroupClient.create(bench(), bench().name('group'));
    const first = await client.join();
    expect(first).toMatchObject({ errorCode: 79, generationId: -1, members: [] });
    expect(first.memberId).not.toBe('');
    client.memberId = first.memberId;
    const second = await client.join();
    expect(second).toMatchObject({ errorCode: 0, generationId: 1, protocol: 'contract-1', memberId: first.memberId });
    expect(second.leaderId).toBe(first.memberId);
    await client.leave();
  });

  it('tells the leader what each member says of itself, and hands out what the leader assigns', async () => {
    const groupId = bench().name('group');
    const clients = [
      await GroupClient.create(bench(), groupId, { metadata: 'I am a' }),
      await GroupClient.create(bench(), groupId, { metadata: 'I am b' }),
    ];
    await gather(...clients);
    const leader = clients.find((client) => client.isLeader)!;
    const follower = clients.find((client) => !client.isLeader)!;
    expect(follower.joined!.leaderId).toBe(leader.memberId);
    expect(follower.joined!.members).toEqual([]);
    expect(leader.joined!.members.map(({ metadata }) => Buffer.from(metadata).toString()).sort()).toEqual(['I am a', 'I am b']);
    for (const client of clients) {
      // A SyncGroup whose answer was lost is answered again.
      const { errorCode, assignment } = await client.sync();
      expect({ errorCode, assignment: Buffer.from(assignment).toString() }).toEqual({ errorCode: 0, assignment: `to ${client.memberId}` });
    }
    for (const client of clients) await client.leave();
  });

  it('answers heartbeats 27 while somebody joins, 0 before and after', async () => {
    const [first, second] = await pair();
    await gather(first);
    expect(await first.heartbeat()).toBe(0);
    const entering = second.enter();
    await first.called();
    const rejoining = first.enter();
    await Promise.all([entering, rejoining]);
    expect(first.generationId).toBe(2);
    expect(second.generationId).toBe(2);
    expect(await first.heartbeat()).toBe(0);
    await Promise.all([first.sync(), second.sync()]);
    expect([await first.heartbeat(), await second.heartbeat()]).toEqual([0, 0]);
    await first.leave();
    await second.leave();
  });

  it('lets nobody wait for the assignment while the group prepares: 27', async () => {
    const [first, second] = await pair();
    await gather(first);
    const entering = second.enter();
    await first.called();
    expect((await first.sync()).errorCode).toBe(27);
    await first.leave();
    await entering;
    await second.leave();
  });

  it('calls those who wait for the assignment back when somebody joins: 27', async () => {
    const [first, second] = await pair();
    const third = await GroupClient.create(bench(), first.groupId);
    await gather(first, second);
    const follower = first.isLeader ? second : first;
    const leader = first.isLeader ? first : second;
    await Promise.all([leader.enter(), follower.called().then(() => follower.enter())]);
    const waiting = follower.sync();
    const entering = third.enter();
    expect((await waiting).errorCode).toBe(27);
    for (const client of [leader, follower]) await client.leave();
    await entering;
    await third.leave();
  });

  it('answers an old or future generation 22, a stranger 25', async () => {
    const [client] = await pair();
    await gather(client);
    for (const generationId of [client.generationId - 1, client.generationId + 1]) {
      expect(await client.heartbeat({ ...client.identity, generationId })).toBe(22);
      expect((await client.sync({ ...client.identity, generationId })).errorCode).toBe(22);
    }
    expect(await client.heartbeat({ ...client.identity, memberId: 'stranger' })).toBe(25);
    expect((await client.sync({ ...client.identity, memberId: 'stranger' })).errorCode).toBe(25);
    expect((await client.join({ memberId: 'stranger' })).errorCode).toBe(25);
    expect(await client.leave({ memberId: 'stranger', groupInstanceId: null })).toBe(25);
    expect(await client.leave()).toBe(0);
  });

  it('answers everything about a group that does not exist 25', async () => {
    const [client] = await pair();
    client.memberId = 'somebody';
    client.generationId = 1;
    expect((await client.join()).errorCode).toBe(25);
    expect(await client.heartbeat()).toBe(25);
    expect((await client.sync()).errorCode).toBe(25);
    expect(await client.leave()).toBe(25);
  });

  it('rebalances when a member leaves, and counts on over an empty group', async () => {
    const [first, second] = await pair();
    await gather(first, second);
    const { generationId } = first;
    expect(await second.leave()).toBe(0);
    expect(await second.heartbeat()).toBe(25);
    await first.called();
    await gather(first);
    expect(first.generationId).toBe(generationId + 1);
    await first.leave();
    second.memberId = '';
    await second.enter();
    expect(second.generationId).toBeGreaterThan(generationId + 1);
    await second.leave();
  });

  it('lets a follower that joins again unchanged stay in its generation; a leader begins a rebalance', async () => {
    const [first, second] = await pair();
    await gather(first, second);
    const follower = first.isLeader ? second : first;
    const leader = first.isLeader ? first : second;
    const { generationId } = follower;
    expect(await follower.enter()).toMatchObject({ generationId, leaderId: leader.memberId });
    expect(await leader.heartbeat()).toBe(0);
    const rejoining = leader.enter();
    await follower.called();
    await Promise.all([rejoining, follower.enter()]);
    expect(leader.generationId).toBe(generationId + 1);
    for (const client of [leader, follower]) await client.leave();
  });

  it('begins a rebalance when a follower’s metadata has changed', async () => {
    const [first, second] = await pair();
    await gather(first, second);
    const follower = first.isLeader ? second : first;
    const leader = first.isLeader ? first : second;
    const rejoining = follower.join({ protocols: [{ name: 'contract-1', metadata: Buffer.from('changed') }] });
    await leader.called();
    await leader.enter();
    expect((await rejoining).generationId).toBe(leader.generationId);
    expect(leader.joined!.members.map(({ metadata }) => Buffer.from(metadata).toString()).sort()).toEqual(['about me', 'changed']);
    for (const client of [leader, follower]) await client.leave();
  });

  it('refuses other protocols 23, and sessions too short or too long 26', async () => {
    const [first, second] = await pair();
    await gather(first);
    expect((await second.join({ protocols: [{ name: 'other', metadata: Buffer.alloc(0) }] })).errorCode).toBe(23);
    expect((await second.join({ protocolType: 'connect' })).errorCode).toBe(23);
    expect((await second.join({ protocols: [] })).errorCode).toBe(23);
    expect((await second.join({ sessionTimeoutMs: 10 })).errorCode).toBe(26);
    expect((await second.join({ sessionTimeoutMs: 2_000_000_000 })).errorCode).toBe(26);
    expect(await first.heartbeat()).toBe(0);
    await first.leave();
  });

  it('chooses a protocol that all members have', async () => {
    const [first, second] = await pair();
    // Who comes second waits for the first, who does not come back, as long as this says.
    const protocols = (...names: string[]): object => ({
      rebalanceTimeoutMs: 2_000,
      protocols: names.map((name) => ({ name, metadata: Buffer.from(name) })),
    });
    for (const client of [first, second]) client.memberId = (await client.join(protocols('new', 'old'))).memberId;
    const [one, other] = await Promise.all([first.join(protocols('new', 'old')), second.join(protocols('old', 'older'))]);
    // Whoever came first may have been alone in the first generation.
    const last = one.generationId < other.generationId ? other : one;
    expect(['new', 'old']).toContain(one.protocol);
    if (one.generationId === other.generationId) expect(last.protocol).toBe('old');
    for (const client of [first, second]) await client.leave();
  });

  it('does not keep a group of more than a megabyte: the assignment is answered -1, and the group begins anew', async () => {
    const client = await GroupClient.create(bench(), bench().name('group'), { metadata: 'm'.repeat(1_100_000) });
    await client.enter();
    const { generationId } = client;
    expect((await client.sync()).errorCode).toBe(-1);
    expect(await client.heartbeat()).toBe(27);
    await client.enter();
    expect(client.generationId).toBe(generationId + 1);
    await client.leave();
  });

  it('puts a member out whose heartbeats stay away for its session timeout', async () => {
    const groupId = bench().name('group');
    const alive = await GroupClient.create(bench(), groupId, { sessionTimeoutMs: 20_000 });
    const dead = await GroupClient.create(bench(), groupId, { sessionTimeoutMs: 6_000 });
    await gather(alive, dead);
    const start = bench().now();
    await alive.called();
    expect(bench().now() - start).toBeGreaterThan(4_500);
    expect(await dead.heartbeat()).toBe(25);
    await gather(alive);
    await alive.leave();
  }, 60_000);

  it('waits with the others for a member that does not join again, up to the rebalance timeout, then puts it out', async () => {
    const groupId = bench().name('group');
    const options = { sessionTimeoutMs: 20_000, rebalanceTimeoutMs: 1_500 };
    const [first, sleeper] = [await GroupClient.create(bench(), groupId, options), await GroupClient.create(bench(), groupId, options)];
    await gather(first, sleeper);
    const start = bench().now();
    const before = first.generationId;
    const third = await GroupClient.create(bench(), groupId, options);
    await Promise.all([third.enter(), first.called().then(() => first.enter())]);
    expect(bench().now() - start).toBeGreaterThan(1_200);
    expect(first.generationId).toBe(before + 1);
    expect(await sleeper.heartbeat()).toBe(25);
    for (const client of [first, third]) await client.leave();
  }, 60_000);
}

export function staticMembersChapter(bench: () => Workbench): void {
  const named = async (groupId: string, groupInstanceId: string, metadata = 'about me'): Promise<GroupClient> =>
    GroupClient.create(bench(), groupId, { groupInstanceId, metadata });

  it('lets a static member in without 79', async () => {
    const client = await named(bench().name('group'), 'one');
    const answer = await client.join();
    expect(answer).toMatchObject({ errorCode: 0, generationId: 1 });
    expect(await client.leave({ memberId: answer.memberId, groupInstanceId: 'one' })).toBe(0);
  });

  it('takes a restarted static member back into its generation, with its assignment, and disturbs nobody', async () => {
    const groupId = bench().name('group');
    const [first, second] = [await named(groupId, 'one'), await named(groupId, 'two')];
    await gather(first, second);
    const follower = first.isLeader ? second : first;
    const leader = first.isLeader ? first : second;
    const restarted = await named(groupId, follower.groupInstanceId!);
    const answer = await restarted.enter();
    expect(answer).toMatchObject({ generationId: follower.generationId, members: [] });
    expect(answer.memberId).not.toBe(follower.memberId);
    expect(await leader.heartbeat()).toBe(0);
    const { errorCode, assignment } = await restarted.sync();
    expect({ errorCode, assignment: Buffer.from(assignment).toString() }).toEqual({ errorCode: 0, assignment: `to ${follower.memberId}` });
    expect(await restarted.heartbeat()).toBe(0);
    for (const client of [leader, restarted]) await client.leave();
  });

  it('does not tell a restarted leader that it leads', async () => {
    const groupId = bench().name('group');
    const leader = await named(groupId, 'one');
    await gather(leader);
    const restarted = await named(groupId, 'one');
    const answer = await restarted.enter();
    expect(answer).toMatchObject({ generationId: leader.generationId, leaderId: leader.memberId, members: [] });
    expect((await restarted.sync()).errorCode).toBe(0);
    await restarted.leave();
  });

  it('fences the first of two processes with one instance id: 82', async () => {
    const groupId = bench().name('group');
    const old = await named(groupId, 'one');
    await gather(old);
    const young = await named(groupId, 'one');
    await young.enter();
    expect(await old.heartbeat()).toBe(82);
    expect((await old.sync()).errorCode).toBe(82);
    expect((await old.join()).errorCode).toBe(82);
    expect(await old.leave()).toBe(82);
    expect(await young.heartbeat()).toBe(0);
    await young.leave();
  });

  it('describes who is in a group, by instance id, client and claim', async () => {
    const groupId = bench().name('group');
    const old = await named(groupId, 'one', 'about the old one');
    await gather(old);
    const young = await named(groupId, 'one', 'about the young one');
    await young.enter();
    await young.sync();
    const { errorCode, members } = await old.describe();
    expect(errorCode).toBe(0);
    expect(members).toEqual([expect.objectContaining({ memberId: young.memberId, groupInstanceId: 'one' })]);
    expect(members[0]?.clientId).not.toBe('');
    expect(members[0]?.clientHost).toMatch(/[0-9.]+/);
    expect(Buffer.from(members[0]?.metadata ?? []).toString()).toBe('about the young one');
    await young.leave();
    expect((await old.describe()).members).toEqual([]);
  });

  it('lets a static member leave by its instance id alone', async () => {
    const groupId = bench().name('group');
    const client = await named(groupId, 'one');
    await gather(client);
    expect(await client.leave({ memberId: '', groupInstanceId: 'one' })).toBe(0);
    expect(await client.heartbeat()).toBe(25);
  });

  it('keeps the place of a static member that has died: nobody else is disturbed within its session', async () => {
    const groupId = bench().name('group');
    const [dying, other] = [await named(groupId, 'one'), await named(groupId, 'two')];
    await gather(dying, other);
    await dying.port.close();
    for (let i = 0; i < 5; i++) expect(await other.heartbeat()).toBe(0);
    await other.leave({ memberId: '', groupInstanceId: 'one' });
    await other.leave();
  });
}
