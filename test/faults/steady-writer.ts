import { topic } from '../../src/codec/topic';
import { string } from '../../src/codec/primitives';
import type { Cluster } from '../../src/model/cluster';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';

const WORDS = ['amber', 'birch', 'cedar', 'delta', 'ember', 'flint', 'grove', 'heath', 'iris', 'jade', 'kelp', 'larch'];
/** Event time passes faster than the wall clock, so that there are windows to speak of. */
const EVENT_MS_PER_RECORD = 7;
const FIRST_EVENT = Date.UTC(2026, 0, 1);

export interface WriterOptions {
  readonly cluster: Cluster;
  readonly input: string;
  /** Records at once, and ms from one time to the next. */
  readonly batch?: number;
  readonly everyMs?: number;
}

/** Writes words until it is stopped, and knows which were acknowledged. One whose answer never came is not written again. */
export class SteadyWriter {
  /** Numbers, which are the keys, of what the brokers have acknowledged. */
  readonly acknowledged: string[] = [];
  readonly unanswered: string[] = [];
  private next = 0;
  private stopping = false;
  private readonly writing: Promise<void>;

  constructor(private readonly options: WriterOptions) {
    this.writing = this.write();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.writing;
  }

  private async write(): Promise<void> {
    const { cluster, input, batch = 20, everyMs = 25 } = this.options;
    const declared = topic(input, { key: string, value: string });
    while (!this.stopping) {
      const records = Array.from({ length: batch }, () => {
        const number = this.next++;
        const word = WORDS[(number * 7919) % WORDS.length]!;
        return KafkaRecord.of<string, string>(String(number), word, FIRST_EVENT + number * EVENT_MS_PER_RECORD, noOrigin);
      });
      const keys = records.map(({ key }) => key);
      await cluster.write(declared, records).then(
        () => this.acknowledged.push(...keys),
        () => this.unanswered.push(...keys),
      );
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}
