/** Members of one group on a broker in this process, with what they were told. */
import { ClusterView } from '../../src/kafka/cluster-view';
import type { HeldTask } from '../../src/kafka/held-tasks';
import { Membership } from '../../src/kafka/membership';
import type { MillraceError } from '../../src/errors/millrace-error';
import { decodeClaim, decodeOrder, encodeClaim, encodeOrder, type MemberClaim, type MemberOrder } from '../../src/kafka/group-protocol';
import type { KafkaPort } from '../../src/kafka/port';
import { memoryBroker, type MemoryBroker, type MemoryBrokerOptions } from '../../src/memory/memory-broker';
import { manualClock, type ManualClock } from '../../src/time/manual-clock';

export const GROUP = 'app';
export const HEARTBEAT_MS = 500;
export const SESSION_MS = 6_000;

export interface JoinOptions {
  readonly slowDrain?: boolean;
  readonly instanceId?: string;
  readonly instance?: string;
  readonly nonce?: string;
  readonly held?: readonly HeldTask[];
  readonly taskCount?: number;
  readonly plan?: string;
  /** Speaks as an older release. */
  readonly revision?: 1 | 2;
}

export interface TestMember {
  readonly membership: Membership;
  /** What it was told, in order. */
  readonly told: string[];
  readonly drained: { release: () => void };
  readonly failures: MillraceError[];
  readonly warnings: string[];
}

export class TestGroup {
  readonly clock: ManualClock = manualClock();
  readonly broker: MemoryBroker;

  constructor(options: Partial<MemoryBrokerOptions> = {}) {
    this.broker = memoryBroker({ clock: this.clock, ...options });
    this.broker.createTopic('input', 8);
  }

  join(name: string, options: JoinOptions = {}): TestMember {
    const { clock, broker } = this;
    const port = asOfRevision(broker.connect(name), options.revision);
    const told: string[] = [];
    const failures: MillraceError[] = [];
    const warnings: string[] = [];
    const drained = { release: (): void => undefined };
    const quiet = (): void => undefined;
    const logger = { debug: quiet, info: quiet, error: quiet, warn: (_: object, message: string) => void warnings.push(message) };
    const membership = new Membership({
      port,
      view: new ClusterView({ port, clock, logger }),
      clock,
      logger,
      groupId: GROUP,
      groupInstanceId: options.instanceId ?? null,
      instance: options.instance ?? options.instanceId ?? name,
      nonce: options.nonce ?? name,
      transactionalId: `${GROUP}-${options.instance ?? options.instanceId ?? name}-0`,
      topics: ['input'],
      taskCount: options.taskCount ?? 4,
      partitionsOf: (task) => [{ topic: 'input', partition: task }],
      sessionTimeoutMs: SESSION_MS,
      heartbeatIntervalMs: HEARTBEAT_MS,
      rebalanceTimeoutMs: 10_000,
      held: () => options.held ?? [],
      plan: options.plan ?? '',
      standbyReplicas: 0,
      acceptableLag: 100,
      maxWarmups: 2,
      probingIntervalMs: 60_000,
      events: {
        joined: () => undefined,
        assigned: (tasks) => told.push(`assigned ${tasks.join(' ')}`),
        revoked: (tasks) => {
          told.push(`revoked ${tasks.join(' ')}`);
          if (options.slowDrain !== true) return Promise.resolve();
          return new Promise((resolve) => {
            drained.release = resolve;
          });
        },
        followed: () => undefined,
        lost: () => told.push('lost'),
        stopAll: (reason) => told.push(`stop: ${reason.message}`),
        failed: (reason) => failures.push(reason),
      },
    });
    membership.start();
    return { membership, told, drained, failures, warnings };
  }

  get generation(): number {
    return this.broker.group(GROUP)?.generationId ?? -1;
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  close(): void {
    this.broker.close();
  }
}

const claimFields: Readonly<Record<1 | 2, readonly (keyof MemberClaim)[]>> = {
  1: ['instance', 'nonce', 'owned', 'generation', 'transactionalId'],
  2: ['instance', 'nonce', 'owned', 'generation', 'transactionalId', 'taskCount', 'plan', 'held'],
};
const orderFields: Readonly<Record<1 | 2, readonly (keyof MemberOrder)[]>> = {
  1: ['tasks'],
  2: ['tasks', 'standby', 'warmup', 'rejoinAfterMs', 'duplicateOf'],
};

function only<T extends object>(fields: readonly (keyof T)[], of: T): T {
  return Object.fromEntries(Object.entries(of).filter(([name]) => fields.includes(name as keyof T))) as T;
}

/** A member that neither writes nor reads what came after its revision. */
function asOfRevision(port: KafkaPort, revision: 1 | 2 | undefined): KafkaPort {
  if (revision === undefined) return port;
  const claim = (bytes: Uint8Array): Buffer => encodeClaim(['input'], only(claimFields[revision], decodeClaim(bytes)));
  const order = (bytes: Uint8Array): Buffer => encodeOrder([], only(orderFields[revision], decodeOrder(bytes)));
  const changed: Partial<KafkaPort> = {
    joinGroup: async (node, request) => {
      const protocols = request.protocols.map(({ name, metadata }) => ({ name, metadata: claim(metadata) }));
      const answer = await port.joinGroup(node, { ...request, protocols });
      return { ...answer, members: answer.members.map((member) => ({ ...member, metadata: claim(member.metadata) })) };
    },
    syncGroup: async (node, request) => {
      const assignments = request.assignments.map(({ memberId, assignment }) => ({ memberId, assignment: order(assignment) }));
      const answer = await port.syncGroup(node, { ...request, assignments });
      return { ...answer, assignment: order(answer.assignment) };
    },
  };
  return new Proxy(port, {
    get: (target, name) => (Reflect.get(changed, name) ?? (Reflect.get(target, name, target) as () => unknown).bind(target)) as unknown,
  });
}
