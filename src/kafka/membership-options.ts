import type { MillraceError } from '../errors/millrace-error';
import type { Logger } from '../model/logger';
import type { Clock } from '../time/clock';
import type { ClusterView } from './cluster-view';
import type { HeldTask } from './held-tasks';
import type { KafkaPort, TopicPartition } from './port';

/** What a membership tells its owner. *revoked*, *lost* and a stop are three things. */
export interface MembershipEvents {
  /** A join was completed; what it brings is told next. */
  joined(): void;
  /** These tasks are ours from now on, besides those we have. */
  assigned(tasks: readonly number[]): void;
  /** These go to others: drain, commit, close; the group is joined again when this settles. */
  revoked(tasks: readonly number[]): Promise<void>;
  /**
   * Exactly these are to be followed from now on: told after what the same join assigned and revoked, at every join. Never told by a leader
   * of revision 1, which knows of none: those there are stay.
   */
  followed(order: FollowOrder): void;
  /** The generation is void: nothing of what is under way may be committed. A new join is under way already. */
  lost(reason: MillraceError): void;
  /** One member has asked for all of them to stop: drain, commit, leave. Told once. */
  stopAll(reason: MillraceError): void;
  /** The group cannot be joined: not retried. */
  failed(reason: MillraceError): void;
}

/** Tasks whose changelogs this instance follows while another is active. */
export interface FollowOrder {
  readonly standby: readonly number[];
  /** To be taken over: once one is within the acceptable lag, `joinAnew`. */
  readonly warmup: readonly number[];
}

export interface MembershipOptions {
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly groupId: string;
  readonly groupInstanceId: string | null;
  readonly instance: string;
  readonly nonce: string;
  readonly transactionalId: string;
  readonly topics: readonly string[];
  readonly taskCount: number;
  /** The input partitions of a task, shown by Kafka's own tools. */
  readonly partitionsOf: (task: number) => readonly TopicPartition[];
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Asked at every join: the tasks whose state lies on this instance's disk. */
  readonly held: () => readonly HeldTask[];
  /** A fingerprint of the stores: positions of members that have another one are not compared with ours. */
  readonly plan: string;
  /** What this member asks for if it leads. */
  readonly standbyReplicas: number;
  readonly acceptableLag: number;
  readonly maxWarmups: number;
  readonly probingIntervalMs: number;
  readonly events: MembershipEvents;
}
