/** Fills partitions of a broker in this process, transactions and all. */
import type { ProducerIdentity } from '../../src/kafka/port';
import { type EncodedBatch, stamp } from '../../src/kafka/batch-encode';
import { batchOf, keyedBatch, type Simulated } from './simulated';

/** A transactional producer without rules: it writes what it is told, and ends when it is told. */
export class LogWriter {
  readonly #world: Simulated;
  readonly #transactionalId: string;
  #identity: ProducerIdentity | undefined;
  readonly #sequences = new Map<string, number>();

  constructor(world: Simulated, transactionalId: string) {
    this.#world = world;
    this.#transactionalId = transactionalId;
  }

  write(topic: string, partition: number, ...values: string[]): Promise<number> {
    return this.#produce(topic, partition, batchOf(...values));
  }

  /** One record to partition 0, in a transaction of its own. A null value deletes. */
  async keyed(topic: string, key: string, value: string | null, commit = true): Promise<void> {
    await this.#produce(topic, 0, keyedBatch([key, value]));
    await this.end(commit);
  }

  async #produce(topic: string, partition: number, batch: EncodedBatch): Promise<number> {
    const { port, view } = this.#world;
    const transactionalId = this.#transactionalId;
    const node = await this.#world.coordinator('transaction', transactionalId);
    this.#identity ??= await this.#world.settle(port.initProducerId(node, { transactionalId, transactionTimeoutMs: 900_000 }));
    const identity = this.#identity;
    for (let code = 51; code === 51;) {
      const added = await this.#world.settle(
        port.addPartitionsToTxn(node, { transactionalId, ...identity, partitions: [{ topic, partition }] }),
      );
      code = added.partitions[0]!.errorCode;
    }
    const key = `${topic}-${partition}`;
    const sequence = this.#sequences.get(key) ?? 0;
    this.#sequences.set(key, sequence + batch.recordCount);
    stamp(batch, identity.producerId, identity.producerEpoch, sequence);
    const leader = await this.#world.settle(view.leaderOf(topic, partition));
    const answer = await this.#world.settle(
      port.produce(leader, { transactionalId, timeoutMs: 1_000, partitions: [{ topic, partition, records: batch.bytes }] }),
    );
    expect(answer.partitions[0]).toMatchObject({ errorCode: 0 });
    return answer.partitions[0]!.baseOffset;
  }

  /** Ends the transaction; its markers are in the logs when this settles. */
  async end(commit: boolean): Promise<void> {
    const node = await this.#world.coordinator('transaction', this.#transactionalId);
    const request = { transactionalId: this.#transactionalId, ...this.#identity!, commit };
    expect(await this.#world.settle(this.#world.port.endTxn(node, request))).toEqual({ errorCode: 0 });
    await this.#world.clock.settle();
    await this.#world.clock.advance(20);
  }

  async committed(topic: string, partition: number, ...values: string[]): Promise<void> {
    await this.write(topic, partition, ...values);
    await this.end(true);
  }
}
