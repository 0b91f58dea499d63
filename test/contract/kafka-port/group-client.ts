import type {
  GroupDescription,
  JoinGroupAnswer,
  JoinGroupRequest,
  KafkaPort,
  MemberIdentity,
  NodeId,
  SyncGroupAnswer,
} from '../../../src/kafka/port';
import type { Workbench } from './workbench';

export interface GroupClientOptions {
  readonly groupInstanceId?: string | null;
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
  /** What the leader is told of this member. */
  readonly metadata?: string;
  readonly protocol?: string;
}

/** One process in a consumer group, with its own connections; sends each request exactly as told. */
export class GroupClient implements MemberIdentity {
  memberId = '';
  generationId = -1;
  /** The last answer to a JoinGroup. */
  joined: JoinGroupAnswer | undefined;

  private constructor(
    private readonly bench: Workbench,
    readonly port: KafkaPort,
    private readonly node: NodeId,
    readonly groupId: string,
    private readonly options: GroupClientOptions,
  ) {}

  static async create(bench: Workbench, groupId: string, options: GroupClientOptions = {}): Promise<GroupClient> {
    const port = await bench.connect();
    return new GroupClient(bench, port, await bench.coordinator('group', groupId, port), groupId, options);
  }

  get groupInstanceId(): string | null {
    return this.options.groupInstanceId ?? null;
  }

  get identity(): MemberIdentity {
    const { groupId, memberId, generationId, groupInstanceId } = this;
    return { groupId, memberId, generationId, groupInstanceId };
  }

  get isLeader(): boolean {
    return this.joined?.leaderId === this.memberId;
  }

  /** One JoinGroup: the bare answer. */
  join(change: Partial<JoinGroupRequest> = {}): Promise<JoinGroupAnswer> {
    const { sessionTimeoutMs = 30_000, rebalanceTimeoutMs = 30_000, metadata = 'about me', protocol = 'contract-1' } = this.options;
    return this.port.joinGroup(this.node, {
      groupId: this.groupId,
      memberId: this.memberId,
      groupInstanceId: this.groupInstanceId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      // Of the type 'consumer' the broker reads the metadata itself: what it cannot read, no JoinGroup is ever answered for.
      protocolType: 'contract',
      protocols: [{ name: protocol, metadata: Buffer.from(metadata) }],
      ...change,
    });
  }

  /** JoinGroup, with the id that 79 gives where there is none; the member is then in the generation answered. */
  async enter(): Promise<JoinGroupAnswer> {
    let answer = await this.join();
    if (answer.errorCode === 79) {
      this.memberId = answer.memberId;
      answer = await this.join();
    }
    expect(answer.errorCode).toBe(0);
    this.memberId = answer.memberId;
    this.generationId = answer.generationId;
    this.joined = answer;
    return answer;
  }

  /** SyncGroup; the leader assigns everybody `to <member id>` unless told otherwise. */
  async sync(identity: MemberIdentity = this.identity): Promise<SyncGroupAnswer> {
    const members = this.isLeader ? this.joined!.members : [];
    const assignments = members.map(({ memberId }) => ({ memberId, assignment: Buffer.from(`to ${memberId}`) }));
    return this.port.syncGroup(this.node, { ...identity, assignments });
  }

  async heartbeat(identity: MemberIdentity = this.identity): Promise<number> {
    return (await this.port.heartbeat(this.node, identity)).errorCode;
  }

  describe(): Promise<GroupDescription> {
    return this.port.describeGroup(this.node, this.groupId);
  }

  /** Waits until the heartbeat says that a rebalance is under way. */
  async called(): Promise<void> {
    await this.bench.eventually('the rebalance is announced', async () => (await this.heartbeat()) === 27 || undefined);
  }

  async leave(member: { memberId: string; groupInstanceId: string | null } = this): Promise<number> {
    const members = [{ memberId: member.memberId, groupInstanceId: member.groupInstanceId }];
    return (await this.port.leaveGroup(this.node, { groupId: this.groupId, members })).errorCode;
  }
}

/** Lets the clients into the group one after the other, all who are in it joining again each time: in the end it is stable. */
export async function gather(...clients: GroupClient[]): Promise<void> {
  for (let count = 1; count <= clients.length; count++) {
    const members = clients.slice(0, count);
    const entering = members[count - 1]!.enter();
    for (const member of members.slice(0, -1)) await member.called();
    await Promise.all([entering, ...members.slice(0, -1).map((member) => member.enter())]);
    const answers = await Promise.all(members.map((member) => member.sync()));
    expect(answers.map(({ errorCode }) => errorCode)).toEqual(members.map(() => 0));
  }
}
