import { kafkaCluster, KafkaRecord } from '../../src';
import { noOrigin } from '../../src/model/origin';
import type { Topic } from '../../src/model/topic';
import { rowKey } from './job';

const EVERY_MS = 20;
const AT_ONCE = 10;

/** Writes a few records every 20 ms, for keys that have a row, until it is stopped. */
export class SteadyWriter {
  private count = 0;
  private stopping = false;
  private readonly cluster;
  private readonly writing: Promise<void>;

  constructor(
    brokers: readonly string[],
    private readonly input: Topic<string, string>,
    private readonly rows: number,
  ) {
    this.cluster = kafkaCluster({ brokers });
    this.writing = this.write();
  }

  /** Records written in all, once nothing is being written any more. */
  async stop(): Promise<number> {
    this.stopping = true;
    await this.writing.finally(this.cluster.close);
    return this.count;
  }

  private async write(): Promise<void> {
    while (!this.stopping) {
      await this.cluster.write(this.input, this.some());
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }

  private *some(): Iterable<KafkaRecord<string, string>> {
    for (let each = 0; each < AT_ONCE; each++) {
      const key = rowKey((this.count++ * 7_919) % this.rows);
      yield KafkaRecord.of<string, string>(key, 'again', Date.now(), noOrigin);
    }
  }
}
