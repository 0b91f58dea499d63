import { inspect } from 'node:util';
import type { Subscriber } from 'rxjs';
import type { KafkaRecord, Placement } from '../../src/model/record';
import type { Departure, FlightControl, InFlight } from '../../src/state/in-flight';
import { processingError, type Receiver } from '../operator';
import { type Answer, type Answers, keptAnswers } from './answers';
import { Call } from './call';
import type { CheckedLookup, LookupFetch } from './options';
import { Queue } from './queue';

/** A record that waits for its answer, or for those before it. */
interface Waiting<K, V, P extends Placement, I, R> {
  readonly record: KafkaRecord<K, V, P>;
  readonly id: I;
  readonly departure: Departure;
  /** Answered at once, or being asked; undefined: its turn to ask has not come. */
  asked: Answer<R> | Call<I, R> | undefined;
}

/**
 * One subscription of a lookup. The first `concurrency` records of the queue have asked; the head lands once it is answered, whoever was
 * answered earlier. A push may bring more than that: they wait in the queue, while the task takes no further record.
 */
export class LookUpRecords<K, V, P extends Placement, I, R> implements Receiver<KafkaRecord<K, V, P>> {
  private readonly queue = new Queue<Waiting<K, V, P, I, R>>();
  private readonly calls = new Set<Call<I, R>>();
  private readonly flight: InFlight;
  private readonly answers: Answers<I, R> | undefined;
  /** By id, what is being asked for the cache. */
  private readonly asking = new Map<I, Call<I, R>>();
  private completed = false;

  constructor(
    private readonly operator: string,
    private readonly fetch: LookupFetch<I, R>,
    private readonly options: CheckedLookup<K, V, I>,
    private readonly control: FlightControl,
    private readonly destination: Subscriber<KafkaRecord<K, readonly [V, R], P>>,
  ) {
    this.flight = control.open(() => this.landNext());
    this.answers = options.cache && keptAnswers(control, options.cache);
  }

  receive(record: KafkaRecord<K, V, P>): void {
    if (this.control.failed) return;
    const { queue } = this;
    const id = this.options.id(record.value, record);
    if (this.answers !== undefined) this.checkId(id);
    if (queue.length === 0) {
      const known = this.answers?.get(id);
      if (known !== undefined) {
        this.emit(record, known.value);
        return;
      }
    }
    const waiting: Waiting<K, V, P, I, R> = { record, id, departure: this.flight.depart(), asked: undefined };
    queue.push(waiting);
    this.flight.isFull = queue.length >= this.options.concurrency;
    if (queue.length <= this.options.concurrency) this.ask(waiting);
  }

  complete(): boolean {
    this.completed = true;
    return this.queue.length === 0;
  }

  release(): void {
    for (const call of this.calls) call.abandon();
    this.calls.clear();
    this.queue.clear();
  }

  private checkId(id: I): void {
    if ((typeof id !== 'object' || id === null) && typeof id !== 'function') return;
    throw new TypeError(
      `the id ${inspect(id)} is equal to no other, so that its answer could not be found again; give a text or a number, or leave out the cache`,
    );
  }

  private emit(record: KafkaRecord<K, V, P>, answer: R): void {
    this.destination.next(record.withValue([record.value, answer] as const));
  }

  private ask(waiting: Waiting<K, V, P, I, R>): void {
    const { answers, asking } = this;
    const { id } = waiting;
    waiting.asked = answers?.get(id) ?? asking.get(id);
    if (waiting.asked === undefined) {
      const call = new Call<I, R>(id, (settled) => {
        this.settled(settled);
      });
      waiting.asked = call;
      this.calls.add(call);
      if (answers !== undefined) asking.set(id, call);
      call.ask(this.fetch, this.control, this.options.timeout);
    }
  }

  private settled(call: Call<I, R>): void {
    this.calls.delete(call);
    if (this.answers !== undefined) {
      this.asking.delete(call.id);
      if (call.answer !== undefined) this.answers.set(call.id, call.answer);
    }
    if (this.queue.at(0)?.asked === call) this.flight.arrived();
  }

  /** True: the next has not arrived. */
  private landNext(): boolean {
    const { queue, options, flight, destination } = this;
    const head = queue.at(0);
    if (head === undefined || !hasArrived(head)) return true;
    queue.shift();
    flight.isFull = queue.length >= options.concurrency;
    const next = queue.at(options.concurrency - 1);
    if (next !== undefined) this.ask(next);
    flight.land(head.departure);
    try {
      this.emit(head.record, head.asked!.value);
    } catch (error) {
      destination.error(processingError(error, this.operator));
    }
    flight.landed();
    if (this.completed && queue.length === 0) destination.complete();
    return queue.length === 0 || !hasArrived(queue.at(0)!);
  }
}

function hasArrived({ asked }: Waiting<unknown, unknown, Placement, unknown, unknown>): boolean {
  return asked !== undefined && (!(asked instanceof Call) || asked.isSettled);
}
