/**
 * Fills the inputs: `node writer.js <JSON of Writing>`. A plain kafkajs producer, idempotent, acks of all replicas in sync. Each partition
 * goes on by itself, and sends the same batch again until it is acknowledged. Event times lie near now, a little out of order.
 */
import { Kafka, KafkaJSError, logLevel, type Message, Partitioners, type Producer } from 'kafkajs';
import { setTimeout as pause } from 'node:timers/promises';
import { Chance } from '../simulate/chance';
import type { WriterOrder, WriterReport } from './orders';
import { END_AHEAD_MS, END_VALUE, PARTITIONS, topicsOf, wordAt } from './topics';

export interface Writing {
  readonly application: string;
  readonly brokers: readonly string[];
  readonly seed: number;
}

/** Records a second, of all partitions. */
const EVENTS_A_SECOND = 180;
const JOINED_A_SECOND = 60;
const ROUND_MS = 250;
const DISORDER_MS = 4_000;
const WORDS = 300;
const KEYS_A_PARTITION = 30;
/** Of one send. What waits longer than it takes to write so many goes in several. */
const MOST_A_SEND = 500;
const PRODUCERS = 3;
/** Failures in a row after which a partition asks for another producer. */
const PATIENCE = 5;
/** After these an idempotent producer is of no use any more. */
const FATAL: ReadonlySet<string> = new Set([
  ...['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING', 'PRODUCER_FENCED'],
]);

const { application, brokers, seed } = JSON.parse(process.argv[2] ?? '{}') as Writing;
const topics = topicsOf(application);
const kafka = new Kafka({
  clientId: 'chaos-writer',
  brokers: [...brokers],
  logLevel: logLevel.NOTHING,
  requestTimeout: 15_000,
  retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 },
});
const written: Record<string, number> = {};
/** Where Kafka's default partitioner puts them: whoever joins by key relies on that. */
const keysOf = keysByPartition();
let repeated = 0;
let draining = false;

function keysByPartition(): string[][] {
  const partitionOf = Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: PARTITIONS }, (_, partitionId) => ({
    ...{ partitionErrorCode: 0, partitionId, leader: 0, replicas: [0], isr: [0] },
  }));
  const keys: string[][] = partitionMetadata.map(() => []);
  for (let number = 0; keys.some(({ length }) => length < KEYS_A_PARTITION); number++) {
    const key = `k${number}`;
    keys[partitionOf({ topic: '', partitionMetadata, message: { key, value: null } })]!.push(key);
  }
  return keys;
}

/** One partition: what happens to the others' leaders does not hold it up. */
class PartitionWriter {
  readonly #chance: Chance;
  #failed = 0;
  #waiting: Message[] = [];
  #owed = 0;

  constructor(
    private readonly topic: string,
    private readonly partition: number,
    private readonly perSecond: number,
    number: number,
  ) {
    this.#chance = new Chance(seed * 1_024 + number);
  }

  async run(): Promise<void> {
    let last = performance.now();
    while (!draining) {
      await pause(ROUND_MS);
      const now = performance.now();
      this.#owed += ((now - last) / 1_000) * this.perSecond;
      last = now;
      for (; this.#owed >= 1; this.#owed--) this.#waiting.push(this.#record());
      await this.#sendAll();
    }
    await this.#sendAll();
  }

  /** Moves event time past everything that still waits. */
  async end(): Promise<void> {
    if (this.topic === topics.events) return;
    const { partition } = this;
    this.#waiting.push({ key: keysOf[partition]![0]!, value: END_VALUE, partition, timestamp: String(Date.now() + END_AHEAD_MS) });
    await this.#sendAll();
  }

  #record(): Message {
    const number = written[this.topic] ?? 0;
    written[this.topic] = number + 1;
    const { partition } = this;
    const timestamp = String(Date.now() - this.#chance.below(DISORDER_MS));
    if (this.topic === topics.events) {
      // Few words are frequent.
      const word = wordAt(Math.floor(this.#chance.fraction() ** 2 * WORDS));
      return { key: `e${number}`, value: `${word} ${number}`, partition, timestamp };
    }
    const key = this.#chance.oneOf(keysOf[partition]!);
    return { key, value: `${this.topic === topics.left ? 'L' : 'R'}${number}`, partition, timestamp };
  }

  /** The same batch until it is acknowledged: a producer that repeats it with its sequence is answered as before. */
  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const messages = this.#waiting.slice(0, MOST_A_SEND);
      while (!(await this.#sent(messages))) await pause(ROUND_MS);
      this.#waiting = this.#waiting.slice(messages.length);
    }
  }

  async #sent(messages: Message[]): Promise<boolean> {
    const shared = producers[this.partition % PRODUCERS]!;
    try {
      await shared.send(this.topic, messages, this.#failed >= PATIENCE);
      this.#failed = 0;
      return true;
    } catch {
      repeated++;
      this.#failed++;
      return false;
    }
  }
}

/** Of several partitions: each connection of kafkajs costs time for ever. */
class SharedProducer {
  #current: { readonly producer: Promise<Producer>; users: number; retired: boolean } | undefined;

  /** @param anew what was sent before may be there; another producer writes it once more, and then it counts twice */
  async send(topic: string, messages: Message[], anew: boolean): Promise<void> {
    if (anew && this.#current !== undefined) this.#current.retired = true;
    if (this.#current?.retired !== false) this.#current = { producer: connected(), users: 0, retired: false };
    const used = this.#current;
    used.users++;
    try {
      await (await used.producer).send({ topic, acks: -1, messages });
    } catch (error) {
      if (FATAL.has((error as { type?: string }).type ?? '') || !(error instanceof KafkaJSError)) used.retired = true;
      throw error;
    } finally {
      used.users--;
      if (used.retired && used.users === 0) void used.producer.then((producer) => producer.disconnect()).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    await this.#current?.producer.then((producer) => producer.disconnect()).catch(() => undefined);
  }
}

const producers = Array.from({ length: PRODUCERS }, () => new SharedProducer());

async function connected(): Promise<Producer> {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
  await producer.connect();
  return producer;
}

function tell(phase: WriterReport['phase']): void {
  const report: WriterReport = { written, repeated, phase };
  if (process.connected) process.send?.(report, undefined, undefined, () => phase === 'ended' && process.exit(0));
}

const writers = [topics.events, topics.left, topics.right].flatMap((topic, number) =>
  Array.from({ length: PARTITIONS }, (_, partition) => {
    const perSecond = (topic === topics.events ? EVENTS_A_SECOND : JOINED_A_SECOND) / PARTITIONS;
    return new PartitionWriter(topic, partition, perSecond, number * PARTITIONS + partition);
  }),
);
const drained = Promise.all(writers.map((writer) => writer.run())).then(() => {
  tell('drained');
});

async function end(): Promise<void> {
  await drained;
  await Promise.all(writers.map((writer) => writer.end()));
  await Promise.all(producers.map((producer) => producer.close()));
  tell('ended');
}

process.on('message', (order: WriterOrder) => {
  draining = true;
  if (order === 'end') void end();
});
process.on('disconnect', () => process.exit(1));
