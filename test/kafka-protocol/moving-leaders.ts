/** Three nodes in front of a broker that has one: leaders move, metadata lags behind, nodes die. Coordinators stay where they are. */
import { MillraceError } from '../../src/errors/millrace-error';
import { partitionKey } from '../../src/kafka/partition-key';
import type { KafkaPort, NodeId, TopicPartition } from '../../src/kafka/port';

const REAL: NodeId = 1;

export class MovingLeaders {
  readonly dead = new Set<NodeId>();
  readonly #leaders = new Map<string, NodeId>();
  readonly #shown = new Map<string, NodeId>();
  readonly #epochs = new Map<string, number>();
  readonly port: KafkaPort;

  constructor(behind: KafkaPort) {
    const { metadata, produce, fetch, listOffsets } = behind;
    const own: Partial<KafkaPort> = {
      metadata: async (names: readonly string[]) => {
        const answer = await metadata.call(behind, names);
        const brokers = [1, 2, 3].map((nodeId) => ({ nodeId, host: 'broker', port: 9000 + nodeId }));
        const topics = answer.topics.map((topic) => ({
          ...topic,
          partitions: topic.partitions.map((each) => ({
            ...each,
            leader: this.#shown.get(partitionKey(topic.topic, each.partition)) ?? REAL,
          })),
        }));
        return { ...answer, brokers, topics };
      },
      produce: async (...[node, request]: Parameters<KafkaPort['produce']>) => {
        this.#reach(node);
        const [own, others] = this.#split(node, request.partitions);
        const refused = others.map(({ topic, partition }) => ({
          ...{ topic, partition, errorCode: 6, baseOffset: -1, logStartOffset: -1, recordErrors: [], errorMessage: null },
        }));
        if (own.length === 0) return { partitions: refused };
        const answer = await produce.call(behind, REAL, { ...request, partitions: own });
        return { partitions: [...answer.partitions, ...refused] };
      },
      fetch: async (...[node, request, lane]: Parameters<KafkaPort['fetch']>) => {
        this.#reach(node);
        const fenced = request.partitions.filter((each) => each.leaderEpoch >= 0 && each.leaderEpoch !== this.epochOf(each));
        if (fenced.length > 0) {
          const partitions = fenced.map((each) => ({
            ...{ topic: each.topic, partition: each.partition, errorCode: each.leaderEpoch < this.epochOf(each) ? 74 : 75 },
            ...{ highWatermark: -1, lastStableOffset: -1, logStartOffset: -1, aborted: [], records: Buffer.alloc(0) },
          }));
          const rest = request.partitions.filter((each) => !fenced.includes(each));
          if (rest.length === 0) return { errorCode: 0, partitions };
          const answer = await fetch.call(behind, REAL, { ...request, maxWaitMs: 0, partitions: withoutEpochs(rest) }, lane);
          return { ...answer, partitions: [...answer.partitions, ...partitions] };
        }
        // KIP-392: a follower answers as well.
        const answer = await fetch.call(behind, REAL, { ...request, partitions: withoutEpochs(request.partitions) }, lane);
        this.#reach(node);
        return answer;
      },
      listOffsets: async (...[node, request]: Parameters<KafkaPort['listOffsets']>) => {
        this.#reach(node);
        const [own, others] = this.#split(node, request.partitions);
        const refused = others.map(({ topic, partition }) => ({
          ...{ topic, partition, errorCode: 6, offset: -1, timestamp: -1, leaderEpoch: -1 },
        }));
        const answer = await listOffsets.call(behind, REAL, { ...request, partitions: own });
        return { partitions: [...answer.partitions.map((each) => ({ ...each, leaderEpoch: this.epochOf(each) })), ...refused] };
      },
    };
    this.port = new Proxy(behind, {
      get: (target, name: keyof KafkaPort) => own[name] ?? target[name].bind(target as never),
      set: (_target, name: keyof KafkaPort, method: never) => {
        own[name] = method;
        return true;
      },
    });
  }

  /** The partition is led by `to` from now on; metadata says so at once, unless it is told to lag. */
  move(topic: string, partition: number, to: NodeId, metadata: 'at once' | 'lags' = 'at once'): void {
    const key = partitionKey(topic, partition);
    this.#leaders.set(key, to);
    this.#epochs.set(key, (this.#epochs.get(key) ?? 0) + 1);
    if (metadata === 'at once') this.#shown.set(key, to);
  }

  /** Metadata names the leader to be before it is one. */
  announce(topic: string, partition: number, to: NodeId): void {
    this.#shown.set(partitionKey(topic, partition), to);
  }

  /** Metadata has caught up. */
  show(): void {
    for (const [key, leader] of this.#leaders) this.#shown.set(key, leader);
  }

  epochOf({ topic, partition }: TopicPartition): number {
    return this.#epochs.get(partitionKey(topic, partition)) ?? 0;
  }

  #reach(node: NodeId): void {
    if (this.dead.has(node)) throw new MillraceError('DISCONNECTED', `broker ${node} is dead`, { retryable: true });
  }

  #split<P extends TopicPartition>(node: NodeId, partitions: readonly P[]): [P[], P[]] {
    const leads = (each: P): boolean => (this.#leaders.get(partitionKey(each.topic, each.partition)) ?? REAL) === node;
    return [partitions.filter(leads), partitions.filter((each) => !leads(each))];
  }
}

function withoutEpochs<P>(partitions: readonly P[]): (P & { leaderEpoch: number })[] {
  return partitions.map((each) => ({ ...each, leaderEpoch: -1 }));
}
