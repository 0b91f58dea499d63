import { MillraceError } from '../errors/millrace-error';
import type { Clock } from '../time/clock';
import type { ClusterView } from './cluster-view';
import { partitionKey } from './partition-key';
import { newPartitionSequence, PartitionQueue, type PartitionSequence } from './partition-queue';
import type { KafkaPort, ProducerIdentity } from './port';
import type { BatchToProduce, ProduceResult } from './produce-outcome';
import { Producing, type ProducingOptions } from './producing';
import type { Deadline } from './retrying';

export interface IdempotentProducerOptions {
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly transactionalId: string;
  /** How long the broker may wait for its replicas, ms. Default 20,000: for about 11 s after a replica's death nothing is acknowledged. */
  readonly acknowledgeWithinMs?: number;
  /** Of all batches in one request. Default 4 MiB; a larger batch goes alone. */
  readonly maxRequestBytes?: number;
}

/**
 * OUT 2: batches to their partitions' leaders, in order, each exactly once for as long as the epoch lasts.
 *
 * A batch is repeated with the same bytes and the same sequence until it is acknowledged or its deadline has passed; the partition's later
 * ones are repeated behind it. Broker and client agree on sequences within one epoch only, so that `begin` must follow every aborted
 * transaction: otherwise a batch with a used sequence is acknowledged as the repeat of an aborted one, and is lost.
 */
export class IdempotentProducer {
  readonly #options: ProducingOptions;
  readonly #sequences = new Map<string, PartitionSequence>();
  #identity: ProducerIdentity | undefined;

  constructor(options: IdempotentProducerOptions) {
    this.#options = { acknowledgeWithinMs: 20_000, maxRequestBytes: 4 * 1024 * 1024, ...options };
  }

  /** A new epoch: sequences start from 0. */
  begin(identity: ProducerIdentity): void {
    this.#identity = identity;
    for (const sequence of this.#sequences.values()) {
      sequence.next = 0;
      sequence.opened = false;
    }
  }

  /** Sends the batches, those of a partition in their order. Resolves when nothing is in flight any more; never rejects. */
  produce<S>(batches: readonly BatchToProduce<S>[], deadline: Deadline): Promise<ProduceResult<S>> {
    if (this.#identity === undefined) throw new MillraceError('PROTOCOL', 'produce() before begin()');
    const queues = new Map<string, PartitionQueue<S>>();
    batches.forEach((batch, index) => {
      const key = partitionKey(batch.topic, batch.partition);
      let queue = queues.get(key);
      if (queue === undefined) {
        queue = new PartitionQueue<S>(batch.topic, batch.partition, this.#sequenceOf(key));
        queues.set(key, queue);
      }
      queue.add(index, batch);
    });
    return new Producing(this.#options, this.#identity, [...queues.values()], deadline).run();
  }

  #sequenceOf(key: string): PartitionSequence {
    let sequence = this.#sequences.get(key);
    if (sequence === undefined) this.#sequences.set(key, (sequence = newPartitionSequence()));
    return sequence;
  }
}
