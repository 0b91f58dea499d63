import { MillraceError } from '../errors/millrace-error';
import type { Logger } from '../model/logger';
import type { Clock } from '../time/clock';
import { asMillraceError } from './as-millrace-error';
import { positionAfter } from './batch-decode';
import type { ClusterView } from './cluster-view';
import { describeCode } from './describe-code';
import { kafkaCode } from './error-codes';
import { LeaderEpochs } from './leader-epochs';
import { OffsetReader } from './offsets';
import { partitionKey } from './partition-key';
import type { PartitionProgress, PartitionSink } from './partition-sink';
import type { FetchAnswer, FetchLane, FetchPartitionAnswer, KafkaPort, NodeId, TopicPartition } from './port';
import { leaderMoved, readAgain } from './retriable-codes';
import { Deadline, gaveUp, isUnread, steady } from './retrying';

export interface FetcherOptions {
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lane: FetchLane;
  readonly readCommitted: boolean;
  /** Default 1 MiB; a larger batch comes whole nevertheless. */
  readonly maxBytesPerPartition?: number;
  /** Of one answer, at most 4 MiB: larger ones block the event loop while they are put together. Default 4 MiB. */
  readonly maxBytes?: number;
  /** How long a broker may wait for data, ms, at most 500: what is resumed in the meantime waits for that answer. Default 500. */
  readonly maxWaitMs?: number;
}

export interface PartitionToFetch extends TopicPartition {
  readonly offset: number;
  readonly sink: PartitionSink;
}

/** While a partition is paused or being looked for, it may come back at any moment: no answer may take long then. */
const SHORT_WAIT_MS = 100;
const LARGEST_ANSWER = 4 * 1024 * 1024;

/** One partition from `add` to `remove`. Added again, it is another entry, so that old answers find nobody. */
interface Entry extends TopicPartition {
  readonly sink: PartitionSink;
  offset: number;
  paused: boolean;
  /** Where it is fetched from; undefined: being looked for, or out of range. */
  node: NodeId | undefined;
  leaderEpoch: number;
  /** Since the last good answer; undefined: all is well. Time, not a count, so that it cannot run out over months. */
  trouble: Deadline | undefined;
}

interface Source {
  /** In the order of asking; who got data goes to the end, so that a full answer starves nobody. */
  entries: Entry[];
  fetching: boolean;
}

/**
 * IN 2: keeps one fetch under way at every broker that leads a partition wanted. The next request leaves as soon as an answer is there, so
 * that the network works while records are pushed. Demand is per partition: a paused or troubled one holds up no other.
 */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #maxBytes: number;
  readonly #maxWaitMs: number;
  readonly #offsets: OffsetReader;
  readonly #epochs: LeaderEpochs;
  readonly #entries = new Map<string, Entry>();
  readonly #sources = new Map<NodeId, Source>();

  constructor(options: FetcherOptions) {
    this.#options = options;
    this.#maxBytes = Math.min(LARGEST_ANSWER, options.maxBytes ?? LARGEST_ANSWER);
    this.#maxWaitMs = Math.min(500, options.maxWaitMs ?? 500);
    this.#offsets = new OffsetReader(options);
    this.#epochs = new LeaderEpochs(options);
  }

  /** Fetches from `offset` on. A partition that is there already starts anew. */
  add({ topic, partition, offset, sink }: PartitionToFetch): void {
    this.remove(topic, partition);
    const entry: Entry = { topic, partition, offset, sink, paused: false, node: undefined, leaderEpoch: -1, trouble: undefined };
    this.#entries.set(partitionKey(topic, partition), entry);
    void this.#locate(entry);
  }

  /** An answer on its way is dropped. */
  remove(topic: string, partition: number): void {
    const key = partitionKey(topic, partition);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#leave(entry);
  }

  /** Asks for no more; what is on its way is delivered. */
  pause(topic: string, partition: number): void {
    const entry = this.#entries.get(partitionKey(topic, partition));
    if (entry !== undefined) entry.paused = true;
  }

  /** Asks again at once. */
  resume(topic: string, partition: number): void {
    const entry = this.#entries.get(partitionKey(topic, partition));
    if (entry?.paused !== true) return;
    entry.paused = false;
    if (entry.node !== undefined) this.#wake(entry.node);
  }

  /** Removes every partition. */
  close(): void {
    for (const entry of this.#entries.values()) this.#leave(entry);
    this.#entries.clear();
  }

  #isCurrent(entry: Entry): boolean {
    return this.#entries.get(partitionKey(entry.topic, entry.partition)) === entry;
  }

  async #locate(entry: Entry): Promise<void> {
    try {
      const { node, leaderEpoch } = await this.#epochs.leaderOf(entry.topic, entry.partition);
      if (!this.#isCurrent(entry)) return;
      entry.leaderEpoch = leaderEpoch;
      entry.node = node;
      const source = this.#sources.get(node);
      if (source === undefined) this.#sources.set(node, { entries: [entry], fetching: false });
      else source.entries.push(entry);
      this.#wake(node);
    } catch (error) {
      this.#fail(entry, asMillraceError(error));
    }
  }

  /** Sends the next fetch to a broker, unless one is under way or nothing is wanted there. */
  #wake(node: NodeId): void {
    const source = this.#sources.get(node);
    if (source === undefined || source.fetching) return;
    const asked = source.entries.filter((entry) => !entry.paused);
    if (asked.length === 0) {
      if (source.entries.length === 0) this.#sources.delete(node);
      return;
    }
    source.fetching = true;
    const { port, lane, readCommitted, maxBytesPerPartition = 1024 * 1024 } = this.#options;
    const partitions = asked.map(({ topic, partition, offset, leaderEpoch }) => ({
      topic,
      partition,
      offset,
      leaderEpoch,
      maxBytes: maxBytesPerPartition,
    }));
    const restless = asked.length < source.entries.length || [...this.#entries.values()].some((entry) => entry.node === undefined);
    const maxWaitMs = restless ? Math.min(SHORT_WAIT_MS, this.#maxWaitMs) : this.#maxWaitMs;
    port.fetch(node, { maxWaitMs, minBytes: 1, maxBytes: this.#maxBytes, readCommitted, partitions }, lane).then(
      (answer) => {
        source.fetching = false;
        if (!isThrottled(answer)) this.#answered(source, asked, answer);
        this.#wake(node);
      },
      (error: unknown) => {
        source.fetching = false;
        for (const entry of asked) this.#troubled(entry, error);
        this.#wake(node);
      },
    );
  }

  #answered(source: Source, asked: readonly Entry[], answer: FetchAnswer): void {
    const answers = new Map(answer.partitions.map((each) => [partitionKey(each.topic, each.partition), each]));
    for (const entry of asked) {
      if (!this.#isCurrent(entry)) continue;
      const own = answers.get(partitionKey(entry.topic, entry.partition));
      const code = answer.errorCode === kafkaCode.NONE ? own?.errorCode : answer.errorCode;
      if (own === undefined || code === undefined)
        this.#troubled(entry, new MillraceError('PROTOCOL', 'An answer leaves the partition out.'));
      else if (code === kafkaCode.NONE) this.#deliver(source, entry, own);
      else if (code === kafkaCode.OFFSET_OUT_OF_RANGE) void this.#outOfRange(entry);
      else if (readAgain.has(code) || answer.errorCode !== kafkaCode.NONE) this.#troubled(entry, code);
      else this.#fail(entry, refused(entry, code));
    }
  }

  #deliver(source: Source, entry: Entry, answer: FetchPartitionAnswer): void {
    const { records, aborted, highWatermark, lastStableOffset, logStartOffset } = answer;
    const from = entry.offset;
    const next = records.length === 0 ? from : positionAfter(records, from);
    entry.trouble = undefined;
    entry.offset = next;
    const progress: PartitionProgress = { next, highWatermark, lastStableOffset, logStartOffset };
    if (next === from) {
      entry.sink.progress(progress);
      return;
    }
    const place = source.entries.indexOf(entry);
    source.entries.splice(place, 1);
    source.entries.push(entry);
    entry.sink.chunk({ records, aborted, from, ...progress });
  }

  /** A code or the port's error after which to look for the leader again. */
  #troubled(entry: Entry, because: unknown): void {
    if (!this.#isCurrent(entry)) return;
    const { clock, view, logger } = this.#options;
    const { topic, partition, node } = entry;
    entry.trouble ??= new Deadline(clock, view.giveUpAfterMs);
    const mayPass = typeof because === 'number' || isUnread(because);
    if (!mayPass || entry.trouble.passed) {
      const waitingFor = `records of ${topic}-${partition} from offset ${entry.offset}`;
      this.#fail(entry, mayPass ? gaveUp(waitingFor, entry.trouble, because) : asMillraceError(because));
      return;
    }
    const why = typeof because === 'number' ? describeCode(because) : String(because);
    logger.debug({ topic, partition, offset: entry.offset, node, why }, 'looking for the leader again');
    this.#leave(entry);
    if (typeof because !== 'number' || leaderMoved.has(because)) {
      view.forgetLeader(topic, partition, node);
      void this.#locate(entry);
      return;
    }
    clock.setTimer(steady(0, clock), () => {
      if (this.#isCurrent(entry)) void this.#locate(entry);
    });
  }

  async #outOfRange(entry: Entry): Promise<void> {
    this.#leave(entry);
    const partitions = [{ topic: entry.topic, partition: entry.partition }];
    try {
      const [starts, ends] = await Promise.all([this.#offsets.startOffsets(partitions), this.#offsets.endOffsets(partitions, false)]);
      if (!this.#isCurrent(entry)) return;
      const logStart = starts[0]!.offset;
      const logEnd = ends[0]!.offset;
      const requested = entry.offset;
      // A new leader may for a moment know less than what was acknowledged.
      if (logStart <= requested && requested <= logEnd) {
        this.#troubled(entry, kafkaCode.OFFSET_NOT_AVAILABLE);
        return;
      }
      this.remove(entry.topic, entry.partition);
      entry.sink.outOfRange({ requested, logStart, logEnd });
    } catch (error) {
      this.#fail(entry, asMillraceError(error));
    }
  }

  #fail(entry: Entry, error: MillraceError): void {
    if (!this.#isCurrent(entry)) return;
    this.remove(entry.topic, entry.partition);
    entry.sink.failed(error);
  }

  /** Is not fetched from where it was. */
  #leave(entry: Entry): void {
    if (entry.node === undefined) return;
    const source = this.#sources.get(entry.node);
    const place = source?.entries.indexOf(entry) ?? -1;
    if (place >= 0) source!.entries.splice(place, 1);
    entry.node = undefined;
  }
}

/** Over its quota, a client is told nothing (KIP-219). */
function isThrottled({ errorCode, partitions }: FetchAnswer): boolean {
  return errorCode === kafkaCode.NONE && partitions.length === 0;
}

function refused({ topic, partition, offset }: Entry, code: number): MillraceError {
  const remedy = code === kafkaCode.TOPIC_AUTHORIZATION_FAILED ? ' Allow this user to read the topic.' : '';
  return new MillraceError('BROKER_ERROR', `${topic}-${partition} cannot be read from offset ${offset}: ${describeCode(code)}.${remedy}`, {
    where: { topic, partition, offset },
  });
}
