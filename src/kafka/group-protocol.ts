import { MillraceError } from '../errors/millrace-error';
import { decodeHeld, encodeHeld, type HeldTask } from './held-tasks';
import type { TopicPartition } from './port';

/** The group protocol's name; cannot change in a rolling deploy. */
export const groupProtocol = 'millrace';
/** Kafka's own protocol type, so that its tools show members, partitions and lag. */
export const protocolType = 'consumer';

/** What a member tells the leader. `owned` were its tasks in `generation`. */
export interface MemberClaim {
  readonly instance: string;
  /** Of this process's start, whose time in ms it begins with: one instance with two nonces is two processes. */
  readonly nonce: string;
  readonly owned: readonly number[];
  readonly generation: number;
  readonly transactionalId: string;
  /** How many tasks its plan has on the cluster as it is. Undefined: the member is of revision 1, as for all that follows. */
  readonly taskCount?: number;
  /** A fingerprint: members with another one have other stores. */
  readonly plan?: string;
  readonly held?: readonly HeldTask[];
  /** Counts the joins that this member wanted itself: a follower that joins again unchanged would get no new generation. */
  readonly round?: number;
  /** Transactional ids of the group, of a member that was told to remember them. Undefined: of revision 2, or it was not. */
  readonly producers?: readonly string[];
  readonly stop?: StopWord;
}

/** The whole application is to stop. */
export interface StopWord {
  readonly reason: string;
  /** It concerns members that were there in this generation, none that came later. Undefined: no leader has heard of it yet. */
  readonly generation?: number;
}

/** What the leader tells a member. */
export interface MemberOrder {
  /** Active ones. */
  readonly tasks: readonly number[];
  /** Undefined: the leader is of revision 1 and knows of none; those there are stay. */
  readonly standby?: readonly number[];
  readonly warmup?: readonly number[];
  readonly rejoinAfterMs?: number | undefined;
  readonly duplicateOf?: string | undefined;
  /** Whose claim this answers. A restarted static member gets what was meant for its predecessor. Undefined: the leader is of revision 2. */
  readonly to?: {
    readonly nonce: string;
    readonly plan?: string;
    readonly taskCount?: number;
    /** It owns tasks that it is not ordered any more: nobody gets them before it has joined again. */
    readonly givesUp?: true;
  };
  readonly producers?: readonly string[];
  readonly stop?: StopWord;
}

/*
 * `version` is the oldest reader that understands user data, `revision` what wrote it. A reader ignores fields it does not know, so a
 * revision only adds some, and what is missing means what it meant before: old and new members work in one group whoever leads it. What
 * an old reader must not ignore needs another version, which it refuses.
 */
const VERSION = 1;
const REVISION = 3;

/**
 * Kafka's ConsumerProtocol, version 0: subscription = version i16, topics [string], user data bytes;
 * assignment = version i16, [topic, [partition i32]], user data bytes. Ours is JSON in the user data.
 */
export function encodeClaim(topics: readonly string[], claim: MemberClaim): Buffer {
  const out = new ProtocolWriter();
  out.int16(0);
  out.int32(topics.length);
  for (const topic of topics) out.text(topic);
  const { held = [], ...rest } = claim;
  out.bytes(userData({ ...rest, held: encodeHeld(held) }));
  return out.done();
}

/** @throws PROTOCOL for user data of another program, or of a version that this one does not read */
export function decodeClaim(metadata: Uint8Array): MemberClaim {
  const input = new ProtocolReader(metadata);
  input.int16();
  for (let topics = input.int32(); topics > 0; topics--) input.text();
  const { owned, held, ...rest } = parse<Omit<MemberClaim, 'held'> & { readonly held?: string }>(input.bytes(), 'member');
  return { ...rest, owned: tasksOf(owned, 'member'), ...(held === undefined ? {} : { held: decodeHeld(held) }) };
}

export function encodeOrder(partitions: readonly TopicPartition[], order: MemberOrder): Buffer {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of partitions) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
  const out = new ProtocolWriter();
  out.int16(0);
  out.int32(byTopic.size);
  for (const [topic, numbers] of byTopic) {
    out.text(topic);
    out.int32(numbers.length);
    for (const partition of numbers) out.int32(partition);
  }
  out.bytes(userData(order));
  return out.done();
}

/** @throws PROTOCOL for user data of another program, or of a version that this one does not read */
export function decodeOrder(assignment: Uint8Array): MemberOrder {
  if (assignment.length === 0) return { tasks: [] };
  const input = new ProtocolReader(assignment);
  input.int16();
  for (let topics = input.int32(); topics > 0; topics--) {
    input.text();
    for (let partitions = input.int32(); partitions > 0; partitions--) input.int32();
  }
  const order = parse<MemberOrder>(input.bytes(), 'assignment');
  for (const tasks of [order.tasks, order.standby ?? [], order.warmup ?? []]) tasksOf(tasks, 'assignment');
  return order;
}

function userData(content: object): Buffer {
  return Buffer.from(JSON.stringify({ version: VERSION, revision: REVISION, ...content }));
}

function parse<T extends object>(bytes: Buffer, what: string): T {
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw unreadable(what, cause);
  }
  if (typeof parsed !== 'object' || parsed === null) throw unreadable(what);
  const { version, revision: _, ...content } = parsed as { readonly version?: unknown; readonly revision?: unknown };
  if (version === VERSION) return content as T;
  if (!Number.isInteger(version)) throw unreadable(what);
  throw new MillraceError(
    'PROTOCOL',
    `a ${what}'s user data has version ${String(version)}, this version of millrace reads version ${VERSION}: ` +
      'stop the newer members or update this one; another applicationId makes a group of its own',
  );
}

function tasksOf(tasks: unknown, what: string): readonly number[] {
  const isList = Array.isArray(tasks) && tasks.every((task) => Number.isSafeInteger(task) && (task as number) >= 0);
  if (!isList) throw unreadable(what);
  return tasks as number[];
}

function unreadable(what: string, cause?: unknown): MillraceError {
  return new MillraceError('PROTOCOL', `a ${what}'s user data cannot be read: is another program in this group?`, { cause });
}

class ProtocolWriter {
  private readonly parts: Buffer[] = [];

  int16(value: number): void {
    const part = Buffer.alloc(2);
    part.writeInt16BE(value);
    this.parts.push(part);
  }

  int32(value: number): void {
    const part = Buffer.alloc(4);
    part.writeInt32BE(value);
    this.parts.push(part);
  }

  text(value: string): void {
    const part = Buffer.from(value);
    this.int16(part.length);
    this.parts.push(part);
  }

  bytes(value: Buffer): void {
    this.int32(value.length);
    this.parts.push(value);
  }

  done(): Buffer {
    return Buffer.concat(this.parts);
  }
}

class ProtocolReader {
  private at = 0;
  private readonly buffer: Buffer;

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  int16(): number {
    this.at += 2;
    return this.buffer.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.buffer.readInt32BE(this.at - 4);
  }

  text(): string {
    const length = this.int16();
    this.at += length;
    return this.buffer.toString('utf8', this.at - length, this.at);
  }

  bytes(): Buffer {
    const length = Math.max(0, this.int32());
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }
}
