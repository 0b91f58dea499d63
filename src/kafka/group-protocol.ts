import { MillraceError } from '../errors/millrace-error';
import type { TopicPartition } from './port';

/** The group protocol's name; cannot change in a rolling deploy. */
export const groupProtocol = 'millrace';
/** Kafka's own protocol type, so that its tools show members, partitions and lag. */
export const protocolType = 'consumer';

/** What a member tells the leader. `owned` were its tasks in `generation`. */
export interface MemberClaim {
  readonly version: 1;
  readonly instance: string;
  /** Of this process's start: one instance with two nonces is two processes. */
  readonly nonce: string;
  readonly owned: readonly number[];
  readonly generation: number;
  readonly transactionalId: string;
}

/** What the leader tells a member. */
export interface MemberOrder {
  readonly version: 1;
  readonly tasks: readonly number[];
}

/**
 * Kafka's ConsumerProtocol, version 0: subscription = version i16, topics [string], user data bytes;
 * assignment = version i16, [topic, [partition i32]], user data bytes. Ours is JSON in the user data.
 */
export function encodeClaim(topics: readonly string[], claim: MemberClaim): Buffer {
  const out = new ProtocolWriter();
  out.int16(0);
  out.int32(topics.length);
  for (const topic of topics) out.text(topic);
  out.bytes(Buffer.from(JSON.stringify(claim)));
  return out.done();
}

export function decodeClaim(metadata: Uint8Array): MemberClaim {
  const input = new ProtocolReader(metadata);
  input.int16();
  for (let topics = input.int32(); topics > 0; topics--) input.text();
  return parse<MemberClaim>(input.bytes(), 'member');
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
  out.bytes(Buffer.from(JSON.stringify(order)));
  return out.done();
}

export function decodeOrder(assignment: Uint8Array): MemberOrder {
  if (assignment.length === 0) return { version: 1, tasks: [] };
  const input = new ProtocolReader(assignment);
  input.int16();
  for (let topics = input.int32(); topics > 0; topics--) {
    input.text();
    for (let partitions = input.int32(); partitions > 0; partitions--) input.int32();
  }
  return parse<MemberOrder>(input.bytes(), 'assignment');
}

function parse<T extends { readonly version: 1 }>(userData: Buffer, what: string): T {
  try {
    const parsed = JSON.parse(userData.toString('utf8')) as T;
    if ((parsed.version as number) === 1) return parsed;
    throw new Error(`version ${String(parsed.version)}`);
  } catch (cause) {
    throw new MillraceError('PROTOCOL', `a ${what}'s user data cannot be read: is another program in this group?`, { cause });
  }
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
