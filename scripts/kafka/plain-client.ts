/**
 * As much of Kafka's protocol as tests need to look at a cluster from outside, and to move its leaders. Imports nothing of millrace: it is
 * the judge of it. Old versions without tags throughout, which every broker up to 4.x still speaks.
 *
 * @see https://kafka.apache.org/protocol
 */
import { connect, type Socket } from 'node:net';
import { Answer, Request } from './plain-bytes';

export interface PlainPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** -1: none. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export interface PlainMetadata {
  readonly brokers: readonly { readonly id: number; readonly address: string }[];
  readonly partitions: readonly PlainPartition[];
}

export interface FetchedPartition {
  readonly errorCode: number;
  readonly highWatermark: number;
  /** Whole batches, perhaps with a part of a last one. */
  readonly records: Buffer;
}

const ANSWER_WITHIN_MS = 5_000;
const API = { fetch: 1, listOffsets: 2, metadata: 3, findCoordinator: 10, describeGroups: 15, electLeaders: 43, reassign: 45 };
const EARLIEST = -2n;

/** One connection, one request at a time. */
class Connection {
  private readonly socket: Socket;
  private received = Buffer.alloc(0);
  private waiting: { resolve: (frame: Buffer) => void; reject: (reason: Error) => void } | undefined;
  private failure: Error | undefined;
  private previous: Promise<unknown> = Promise.resolve();

  constructor(readonly address: string) {
    const at = address.lastIndexOf(':');
    this.socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)), noDelay: true });
    this.socket.on('data', (chunk) => {
      this.take(chunk);
    });
    this.socket.on('error', (error) => {
      this.fail(error);
    });
    this.socket.on('close', () => {
      this.fail(new Error(`${address} closed the connection`));
    });
  }

  get broken(): boolean {
    return this.failure !== undefined;
  }

  ask(frame: Buffer): Promise<Buffer> {
    const answer = this.previous.then(() => this.exchange(frame));
    this.previous = answer.catch(() => undefined);
    return answer;
  }

  close(): void {
    this.fail(new Error('closed'));
  }

  private exchange(frame: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) {
        reject(this.failure);
        return;
      }
      const timer = setTimeout(() => {
        this.fail(new Error(`no answer from ${this.address} within ${ANSWER_WITHIN_MS} ms`));
      }, ANSWER_WITHIN_MS);
      const settled = <T>(then: (value: T) => void) => {
        return (value: T): void => {
          clearTimeout(timer);
          this.waiting = undefined;
          then(value);
        };
      };
      this.waiting = { resolve: settled(resolve), reject: settled(reject) };
      this.socket.write(frame);
    });
  }

  private take(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    if (this.received.length < 4) return;
    const length = this.received.readInt32BE(0);
    if (this.received.length < 4 + length) return;
    const frame = this.received.subarray(4, 4 + length);
    this.received = this.received.subarray(4 + length);
    this.waiting?.resolve(frame);
  }

  private fail(reason: Error): void {
    this.failure ??= reason;
    this.socket.destroy();
    this.waiting?.reject(reason);
  }
}

/** Asks any broker, or one of them. Nothing is retried: whoever asks decides. */
export class PlainClient {
  private readonly connections = new Map<string, Connection>();
  private addresses = new Map<number, string>();
  /** Who answered last is asked first: another may be dead, or stopped. */
  private answered: string | undefined;
  private correlation = 0;

  constructor(private readonly bootstrap: readonly string[]) {}

  /** Of these topics; undefined: all there are, internal ones too. */
  async metadata(topics?: readonly string[], address?: string): Promise<PlainMetadata> {
    const answer = await this.ask(address, API.metadata, 7, (request) => {
      if (topics === undefined) request.int32(-1);
      else request.array(topics, (topic) => request.string(topic));
      request.int8(0);
    });
    answer.int32();
    const brokers = answer.array(() => {
      const id = answer.int32();
      const broker = { id, address: `${answer.string()}:${answer.int32()}` };
      answer.string();
      return broker;
    });
    this.addresses = new Map(brokers.map(({ id, address: at }) => [id, at]));
    answer.string();
    answer.int32();
    const partitions = answer.array(() => {
      const topicError = answer.int16();
      const topic = answer.string();
      answer.int8();
      return answer.array((): PlainPartition => {
        const errorCode = answer.int16() || topicError;
        const partition = answer.int32();
        const leader = answer.int32();
        answer.int32();
        const replicas = answer.array(() => answer.int32());
        const inSync = answer.array(() => answer.int32());
        answer.array(() => answer.int32());
        return { topic, partition, errorCode, leader, replicas, inSync };
      });
    });
    return { brokers, partitions: partitions.flat() };
  }

  /** The broker that coordinates a group or a transactional id; undefined while there is none. */
  async coordinatorOf(kind: 'group' | 'transaction', key: string): Promise<number | undefined> {
    const answer = await this.ask(undefined, API.findCoordinator, 1, (request) => {
      request.string(key).int8(kind === 'group' ? 0 : 1);
    });
    answer.int32();
    const errorCode = answer.int16();
    answer.string();
    return errorCode === 0 ? answer.int32() : undefined;
  }

  /** State (`Stable`, `PreparingRebalance` …) and members of a group, as its coordinator sees them. */
  async group(groupId: string): Promise<{ readonly state: string; readonly members: number }> {
    const coordinator = await this.coordinatorOf('group', groupId);
    if (coordinator === undefined) return { state: 'unknown', members: 0 };
    const answer = await this.askNode(coordinator, API.describeGroups, 0, (request) => {
      request.array([groupId], (id) => request.string(id));
    });
    answer.int32();
    answer.int16();
    answer.string();
    const state = answer.string();
    answer.string();
    answer.string();
    return { state, members: answer.int32() };
  }

  /** The first offset that the log still has. */
  async startOf(leader: number, topic: string, partition: number): Promise<number> {
    const answer = await this.askNode(leader, API.listOffsets, 2, (request) => {
      request.int32(-1).int8(0);
      request.array([topic], (name) => {
        request.string(name).array([partition], (number) => request.int32(number).int64(EARLIEST));
      });
    });
    answer.int32();
    answer.int32();
    answer.string();
    answer.int32();
    answer.int32();
    const errorCode = answer.int16();
    if (errorCode !== 0) throw new Error(`ListOffsets of ${topic}-${partition}: error ${errorCode}`);
    answer.int64();
    return Number(answer.int64());
  }

  /** What lies in the log from an offset on, whether it is committed or not, markers included. Does not wait for more. */
  async fetch(leader: number, topic: string, partition: number, offset: number): Promise<FetchedPartition> {
    const answer = await this.askNode(leader, API.fetch, 4, (request) => {
      request.int32(-1).int32(0).int32(0).int32(FETCH_BYTES).int8(0);
      request.array([topic], (name) => {
        request.string(name).array([partition], (number) => request.int32(number).int64(BigInt(offset)).int32(FETCH_BYTES));
      });
    });
    answer.int32();
    answer.int32();
    answer.string();
    answer.int32();
    answer.int32();
    const errorCode = answer.int16();
    const highWatermark = Number(answer.int64());
    answer.int64();
    answer.array(() => answer.int64() + answer.int64());
    return { errorCode, highWatermark, records: answer.bytes() };
  }

  /** Each partition's replicas in another order; the first of them is the one preferred as leader. */
  async reorderReplicas(
    partitions: readonly { readonly topic: string; readonly partition: number; readonly replicas: readonly number[] }[],
  ) {
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
    const body = new Request().int32(ANSWER_WITHIN_MS).compactArray(topics, (request, topic) => {
      const own = partitions.filter((each) => each.topic === topic);
      request.compactString(topic).compactArray(own, (inner, { partition, replicas }) => {
        inner.int32(partition).compactArray(replicas, (list, replica) => list.int32(replica));
        inner.tags();
      });
      request.tags();
    });
    const answer = await this.exchange(undefined, API.reassign, 0, body.tags().finish(), true);
    answer.int8(); // tags of the header
    answer.int32();
    const errorCode = answer.int16();
    if (errorCode !== 0) throw new Error(`AlterPartitionReassignments: error ${errorCode}`);
  }

  /** Gives leadership of these partitions, or of all, to the replica that is preferred. */
  async electPreferredLeaders(partitions?: readonly { readonly topic: string; readonly partition: number }[]): Promise<void> {
    const answer = await this.ask(undefined, API.electLeaders, 1, (request) => {
      request.int8(0);
      if (partitions === undefined) request.int32(-1);
      else
        request.array(partitions, ({ topic, partition }) => {
          request.string(topic).array([partition], (number) => request.int32(number));
        });
      request.int32(ANSWER_WITHIN_MS);
    });
    answer.int32();
    const errorCode = answer.int16();
    if (errorCode !== 0) throw new Error(`ElectLeaders: error ${errorCode}`);
  }

  close(): void {
    for (const connection of this.connections.values()) connection.close();
    this.connections.clear();
  }

  private async askNode(id: number, api: number, version: number, write: (request: Request) => void): Promise<Answer> {
    if (!this.addresses.has(id)) await this.metadata([]);
    const address = this.addresses.get(id);
    if (address === undefined) throw new Error(`broker ${id} is not in the cluster`);
    return this.ask(address, api, version, write);
  }

  /** Without an address: the first broker that answers. */
  private async ask(address: string | undefined, api: number, version: number, write: (request: Request) => void): Promise<Answer> {
    const body = new Request();
    write(body);
    return this.exchange(address, api, version, body.finish(), false);
  }

  private async exchange(address: string | undefined, api: number, version: number, body: Buffer, flexible: boolean): Promise<Answer> {
    const header = new Request().int16(api).int16(version).int32(++this.correlation).string('plain-client');
    if (flexible) header.tags();
    const request = Buffer.concat([header.finish(), body]);
    const frame = Buffer.concat([new Request().int32(request.length).finish(), request]);
    let failure: unknown;
    for (const each of address === undefined ? this.inOrder() : [address]) {
      try {
        const answer = await this.connection(each).ask(frame);
        this.answered = each;
        return new Answer(answer.subarray(4));
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  private inOrder(): readonly string[] {
    const { answered, bootstrap } = this;
    return answered === undefined ? bootstrap : [answered, ...bootstrap.filter((address) => address !== answered)];
  }

  private connection(address: string): Connection {
    const known = this.connections.get(address);
    if (known !== undefined && !known.broken) return known;
    const fresh = new Connection(address);
    this.connections.set(address, fresh);
    return fresh;
  }
}

const FETCH_BYTES = 4 * 1024 * 1024;
