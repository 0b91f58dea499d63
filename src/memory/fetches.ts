import type { FetchAnswer, FetchPartitionAnswer, FetchRequest, NodeId } from '../kafka/port';
import type { Clock } from '../time/clock';
import { brokerCode } from './broker-code';
import { fetchRefused, type Partition } from './partition';
import type { Topics } from './topics';

/** Fetch: answered when there is enough to read, at the latest after `maxWaitMs`; at once when a partition has an error. */
export class Fetches {
  constructor(
    private readonly clock: Clock,
    private readonly topics: Topics,
  ) {}

  fetch(node: NodeId, request: FetchRequest, answer: (answer: FetchAnswer) => void): void {
    const partitions = request.partitions.map((each) => this.topics.partition(each));
    const isReady = (): boolean => this.#isReady(node, request);
    if (request.partitions.length === 0 || request.maxWaitMs <= 0 || isReady()) {
      answer(this.#read(node, request));
      return;
    }
    const stops: (() => void)[] = [];
    const finish = (): void => {
      timer.cancel();
      for (const stop of stops) stop();
      answer(this.#read(node, request));
    };
    const timer = this.clock.setTimer(request.maxWaitMs, finish);
    const onChange = (): void => {
      if (isReady()) finish();
    };
    for (const partition of partitions) if (partition !== undefined) stops.push(partition.onChange(onChange));
  }

  #isReady(node: NodeId, request: FetchRequest): boolean {
    let bytes = 0;
    for (const each of request.partitions) {
      const partition = this.topics.partition(each);
      if (refuse(partition, node) !== brokerCode.NONE || partition!.checkFetch(each) !== brokerCode.NONE) return true;
      bytes += partition!.bytesFor(each, request.readCommitted, request.minBytes);
      if (bytes >= request.minBytes) return true;
    }
    return false;
  }

  #read(node: NodeId, request: FetchRequest): FetchAnswer {
    let left = request.maxBytes;
    let isEmpty = true;
    const partitions: FetchPartitionAnswer[] = [];
    for (const each of request.partitions) {
      const partition = this.topics.partition(each);
      const errorCode = refuse(partition, node);
      // The first batch of the answer is given whole, however small the limits: else a reader could get stuck on it.
      const answer: FetchPartitionAnswer =
        errorCode === brokerCode.NONE ? partition!.fetch(each, request.readCommitted, left, isEmpty) : fetchRefused(each, errorCode);
      left = Math.max(0, left - answer.records.length);
      isEmpty &&= answer.records.length === 0;
      partitions.push(answer);
    }
    return { errorCode: brokerCode.NONE, partitions };
  }
}

/** Whether this node can answer for the partition at all. */
export function refuse(partition: Partition | undefined, node: NodeId): number {
  if (partition === undefined) return brokerCode.UNKNOWN_TOPIC_OR_PARTITION;
  return partition.leader === node ? brokerCode.NONE : brokerCode.NOT_LEADER_OR_FOLLOWER;
}
