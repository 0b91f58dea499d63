import type { KafkaRecord } from '../../src/model/record';
import type { Step } from '../../src/state/scope';
import { processingError, type Receiver } from '../operator';
import { CloseUnmatched } from './close-unmatched';
import type { JoinSide } from './join-side';
import type { OpenJoin } from './open-join';
import { RemoveUnneeded } from './remove-unneeded';

/** Rows that one step closes or removes, and records it takes up: far below a slice of 10 ms, far above the cost of a step. */
const ROWS_PER_STEP = 128;

interface Arrival<K, L, R, J> {
  readonly side: JoinSide<K, L, R, J>;
  readonly record: KafkaRecord<K, L | R>;
}

/**
 * Brings the records of both sides in order: what a record has closed comes out before its own matches, however many steps that takes.
 * Until then it waits, and with it whatever else the same push brings; waiting holds the boundary, since no store knows of it.
 */
export class JoinRecords<K, L, R, J> {
  private readonly close: CloseUnmatched<K, L, R, J>;
  private readonly remove: RemoveUnneeded<K, L, R, J>;
  /** Has arrived, and is matched when what it has closed is out. */
  private arrived: Arrival<K, L, R, J> | undefined;
  private readonly queue: Arrival<K, L, R, J>[] = [];
  private held = false;
  private driven = false;
  private completed = false;
  private released = false;

  constructor(private readonly open: OpenJoin<K, L, R, J>) {
    this.close = new CloseUnmatched(open);
    this.remove = new RemoveUnneeded(open);
    this.driveWhatIsDue();
  }

  /** Event time has moved other than by a record. */
  advanced(): void {
    this.open.close();
    this.driveWhatIsDue();
  }

  receive(side: JoinSide<K, L, R, J>, record: KafkaRecord<K, L | R>): void {
    if (this.arrived !== undefined || this.queue.length > 0 || this.close.isDue()) {
      this.wait();
      this.queue.push({ side, record });
    } else if (side.arrive(record)) {
      if (this.close.isDue()) {
        this.wait();
        this.arrived = { side, record };
      } else side.match(record);
    }
    this.driveWhatIsDue();
  }

  /** False: the destination is completed once everything that has arrived is through. */
  complete(): boolean {
    this.completed = true;
    return !this.held;
  }

  release(): void {
    this.released = true;
    this.arrived = undefined;
    this.queue.length = 0;
    this.letGo();
  }

  private wait(): void {
    if (this.held) return;
    this.held = true;
    this.open.store.scope.hold();
  }

  private letGo(): void {
    if (!this.held) return;
    this.held = false;
    this.open.store.scope.letGo();
  }

  private driveWhatIsDue(): void {
    if (this.driven || !(this.held || this.close.isDue() || this.remove.isDue())) return;
    this.driven = true;
    this.open.store.scope.drive(this.step);
  }

  private readonly step: Step = () => {
    try {
      if (!this.work()) return false;
      if (this.completed && !this.open.stopped()) this.open.destination.complete();
    } catch (error) {
      this.open.destination.error(processingError(error, this.open.operator));
    }
    this.driven = false;
    return true;
  };

  /** False: call again. */
  private work(): boolean {
    for (let left = ROWS_PER_STEP; !this.open.stopped() && !this.released;) {
      left = this.close.run(left);
      if (left === 0) return false;
      const { arrived } = this;
      this.arrived = undefined;
      arrived?.side.match(arrived.record);
      const next = this.queue.shift();
      if (next === undefined) {
        this.letGo();
        return this.remove.run(left) > 0;
      }
      if (next.side.arrive(next.record)) this.arrived = next;
      left -= 1;
      if (left === 0) return false;
    }
    return true;
  }
}

/** One input of a join. */
export class JoinInput<K, L, R, J> implements Receiver<KafkaRecord<K, L | R>> {
  constructor(
    private readonly joined: JoinRecords<K, L, R, J>,
    private readonly sides: readonly JoinSide<K, L, R, J>[],
  ) {}

  receive(record: KafkaRecord<K, L | R>): void {
    for (const side of this.sides) this.joined.receive(side, record);
  }

  complete(): boolean {
    return this.joined.complete();
  }

  release(): void {
    this.joined.release();
  }
}
