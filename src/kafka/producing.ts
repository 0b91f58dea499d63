import { MillraceError } from '../errors/millrace-error';
import type { Clock } from '../time/clock';
import { asMillraceError } from './as-millrace-error';
import type { ClusterView } from './cluster-view';
import { describeCode } from './describe-code';
import { kafkaCode } from './error-codes';
import { partitionKey } from './partition-key';
import type { PartitionQueue, QueuedBatch } from './partition-queue';
import type { KafkaPort, NodeId, ProduceAnswer, ProducePartitionAnswer, ProducerIdentity } from './port';
import type { PartitionEnd, ProduceOutcome, ProduceResult, Refusal } from './produce-outcome';
import { refusalOf, refusedForEver } from './refusal';
import { leaderMoved, produceAgain } from './retriable-codes';
import { doubling, gaveUp, isUnread, type Deadline } from './retrying';

export interface ProducingOptions {
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly transactionalId: string;
  readonly acknowledgeWithinMs: number;
  readonly maxRequestBytes: number;
}

interface Sent<S> {
  readonly queue: PartitionQueue<S>;
  readonly batch: QueuedBatch<S>;
}

/** The batches of one transaction on their way. Made for one `run`. */
export class Producing<S> {
  readonly #options: ProducingOptions;
  readonly #identity: ProducerIdentity;
  readonly #queues: readonly PartitionQueue<S>[];
  readonly #deadline: Deadline;
  readonly #refusals: Refusal<S>[] = [];
  #failure: ProduceOutcome<S> | undefined;
  #inFlight = 0;
  #unread = false;
  #finished = false;
  #pumpDue = false;
  #finish: (result: ProduceResult<S>) => void = () => undefined;

  constructor(options: ProducingOptions, identity: ProducerIdentity, queues: readonly PartitionQueue<S>[], deadline: Deadline) {
    this.#options = options;
    this.#identity = identity;
    this.#queues = queues;
    this.#deadline = deadline;
  }

  run(): Promise<ProduceResult<S>> {
    return new Promise((resolve) => {
      this.#finish = resolve;
      this.#pump();
    });
  }

  /** Soon, once for all that happens in this turn, so that partitions found or answered together share a request. */
  #pumpSoon(): void {
    if (this.#pumpDue) return;
    this.#pumpDue = true;
    queueMicrotask(() => {
      this.#pumpDue = false;
      this.#pump();
    });
  }

  get #stopping(): boolean {
    return this.#failure !== undefined || this.#refusals.length > 0;
  }

  #pump(): void {
    if (!this.#stopping && this.#deadline.passed && !this.#queues.every((queue) => queue.finished)) {
      this.#fail(
        gaveUp('the acknowledgement of what was produced', this.#deadline, this.#queues.find((queue) => queue.trouble)?.trouble ?? ''),
      );
    }
    while (!this.#stopping && this.#sendRound());
    if (this.#finished || this.#inFlight > 0) return;
    if (!this.#stopping && !this.#queues.every((queue) => queue.finished)) return;
    this.#finished = true;
    this.#finish({ outcome: this.#outcome(), unread: this.#unread });
  }

  /** One request to each leader that has something to get, with one batch a partition. False: nothing can be sent now. */
  #sendRound(): boolean {
    const requests = new Map<NodeId, { sent: Sent<S>[]; bytes: number }>();
    for (const queue of this.#queues) {
      if (!queue.ready) continue;
      const leader = this.#options.view.knownLeader(queue.topic, queue.partition);
      if (leader === undefined) {
        if (queue.inFlight === 0) this.#locate(queue);
        continue;
      }
      if (queue.inFlight > 0 && queue.node !== leader) continue;
      let request = requests.get(leader);
      if (request === undefined) requests.set(leader, (request = { sent: [], bytes: 0 }));
      const { length } = queue.peek().toProduce.batch.bytes;
      // The next round's request takes it.
      if (request.sent.length > 0 && request.bytes + length > this.#options.maxRequestBytes) continue;
      request.sent.push({ queue, batch: queue.take(this.#identity, leader) });
      request.bytes += length;
    }
    for (const [node, { sent }] of requests) this.#send(node, sent);
    return requests.size > 0;
  }

  #send(node: NodeId, sent: readonly Sent<S>[]): void {
    this.#inFlight++;
    const { port, transactionalId, acknowledgeWithinMs } = this.#options;
    const partitions = sent.map(({ queue, batch }) => ({
      topic: queue.topic,
      partition: queue.partition,
      records: batch.toProduce.batch.bytes,
    }));
    port.produce(node, { transactionalId, timeoutMs: acknowledgeWithinMs, partitions }).then(
      (answer) => this.#answered(node, sent, answer),
      (error: unknown) => this.#unanswered(node, sent, error),
    );
  }

  #answered(node: NodeId, sent: readonly Sent<S>[], answer: ProduceAnswer): void {
    this.#inFlight--;
    const answers = new Map(answer.partitions.map((each) => [partitionKey(each.topic, each.partition), each]));
    for (const { queue, batch } of sent) {
      queue.inFlight--;
      const own = answers.get(partitionKey(queue.topic, queue.partition));
      if (own === undefined) this.#fail(new MillraceError('PROTOCOL', `A Produce answer leaves out ${queue.topic}-${queue.partition}.`));
      else this.#judge(node, queue, batch, own);
    }
    this.#repeatWhatMust(sent);
    this.#pumpSoon();
  }

  #judge(node: NodeId, queue: PartitionQueue<S>, batch: QueuedBatch<S>, answer: ProducePartitionAnswer): void {
    const code = answer.errorCode;
    if (code === kafkaCode.NONE) {
      queue.acknowledge(batch, answer.baseOffset);
    } else if (refusedForEver.has(code)) {
      this.#refusals.push(refusalOf(batch, answer));
    } else if (produceAgain.has(code)) {
      queue.trouble = code;
      if (leaderMoved.has(code)) this.#options.view.forgetLeader(queue.topic, queue.partition, node);
    } else if (code === kafkaCode.OUT_OF_ORDER_SEQUENCE_NUMBER && !queue.isHead(batch)) {
      // Its predecessor failed, so that it came out of order; it will be repeated behind it.
      queue.trouble ??= code;
    } else if (!this.#stopping) {
      const message = answer.errorMessage === null ? '' : `: ${answer.errorMessage}`;
      const what = `A batch for ${queue.topic}-${queue.partition} was answered ${describeCode(code)}${message}.`;
      this.#fail(new MillraceError('BROKER_ERROR', what, { where: { topic: queue.topic, partition: queue.partition } }), code);
    }
  }

  #unanswered(node: NodeId, sent: readonly Sent<S>[], error: unknown): void {
    this.#inFlight--;
    this.#unread = true;
    for (const { queue } of sent) {
      queue.inFlight--;
      queue.trouble = error;
      this.#options.view.forgetLeader(queue.topic, queue.partition, node);
    }
    if (!isUnread(error)) this.#fail(asMillraceError(error));
    this.#repeatWhatMust(sent);
    this.#pumpSoon();
  }

  #repeatWhatMust(sent: readonly Sent<S>[]): void {
    for (const { queue } of sent) {
      if (queue.trouble === undefined || queue.inFlight > 0 || this.#stopping) continue;
      if (this.#options.view.knownLeader(queue.topic, queue.partition) === undefined) {
        // Looking the leader up is paced by the view.
        queue.goBack();
        continue;
      }
      const pause = Math.min(doubling(queue.repeats++, this.#options.clock), this.#deadline.left());
      this.#options.clock.setTimer(pause, () => {
        queue.goBack();
        this.#pumpSoon();
      });
    }
  }

  #locate(queue: PartitionQueue<S>): void {
    queue.locating = true;
    this.#options.view.leaderOf(queue.topic, queue.partition, this.#deadline).then(
      () => {
        queue.locating = false;
        this.#pumpSoon();
      },
      (error: unknown) => {
        if (!this.#stopping) this.#notLocated(queue, asMillraceError(error));
        this.#pumpSoon();
      },
    );
  }

  #notLocated(queue: PartitionQueue<S>, error: MillraceError): void {
    if (error.code !== 'UNKNOWN_TOPIC') {
      this.#fail(error);
      return;
    }
    const { index, toProduce } = queue.peek();
    const { topic, partition, source } = toProduce;
    this.#refusals.push({ topic, partition, index, source, code: kafkaCode.UNKNOWN_TOPIC_OR_PARTITION, records: [], error });
  }

  #fail(reason: MillraceError, code = 0): void {
    this.#failure ??= { kind: 'failed', code, reason };
  }

  #outcome(): ProduceOutcome<S> {
    const ends: PartitionEnd[] = [];
    for (const queue of this.#queues) {
      const stray = queue.takeStock();
      if (stray !== undefined) this.#fail(strayError(queue, stray));
      ends.push({ topic: queue.topic, partition: queue.partition, next: queue.end });
    }
    if (this.#failure !== undefined) return this.#failure;
    return this.#refusals.length > 0 ? { kind: 'refused', refusals: this.#refusals } : { kind: 'written', ends };
  }
}

function strayError<S>(queue: PartitionQueue<S>, { baseOffset, toProduce }: QueuedBatch<S>): MillraceError {
  const { topic, partition } = queue;
  return new MillraceError(
    'PROTOCOL',
    `A batch of ${toProduce.batch.recordCount} records for ${topic}-${partition} was acknowledged at offset ${baseOffset}, where something was ` +
      'acknowledged before: the broker took it for the repeat of an earlier batch, or the topic was deleted and created anew.',
    { where: { topic, partition, offset: baseOffset } },
  );
}
