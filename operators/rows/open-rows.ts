import type { Subscriber } from 'rxjs';
import type { KafkaRecord } from '../../src/model/record';
import type { Duration } from '../../src/model/duration';
import type { Windowed } from '../../src/model/window';
import type { EventTime } from '../../src/state/event-time';
import type { RowRuntime } from '../../src/state/handle';
import type { Step } from '../../src/state/scope';
import type { Emit } from '../fold/options';
import { processingError } from '../operator';
import { earliestOf } from '../windowed/earliest-time';
import { CloseRows } from './close-rows';
import { RemoveRows } from './remove-rows';
import type { WalkedRows } from './walked-rows';

/** Rows that one step gathers, emits or removes: far below a slice of 10 ms, far above the cost of a step. */
const ROWS_PER_STEP = 128;

/** How a kind of rows ages. Times are those that rows are ordered by: starts of windows, ends of sessions. */
export interface RowAges {
  /** A row has closed when its time is < event time - this, ms. */
  readonly closesAfter: Duration;
  /** ms that a closed row is of use to records yet to come, whatever retention shows. */
  readonly usedFor: Duration;
  /** Must a row stay whose time is exactly where visibility ends? */
  readonly keepsTheBound: boolean;
  /** Names of the clocks, one an input: they must stay the same from version to version. Missing: one input, whose clock needs no name. */
  readonly clocks?: readonly string[] | undefined;
}

/**
 * The rows of one operator whose windows belong to their key: what its inputs share. They close, and are removed, when event time has
 * passed them at every input. It is kept in cells: what was late before a restart is late after it.
 */
export class OpenRows<K, A> implements WalkedRows<K, A> {
  readonly operator: string;
  readonly store: RowRuntime<K, A>;
  readonly emit: Emit;
  readonly destination: Subscriber<KafkaRecord<Windowed<K>, A>>;
  /** One for each of the names, in their order. */
  readonly eventTimes: readonly EventTime[];
  private readonly eventTime: Pick<EventTime, 'value'>;
  private readonly ages: RowAges;
  private readonly openFrom: { readonly value: number };
  private readonly close: CloseRows<K, A> | undefined;
  private readonly remove: RemoveRows<K, A>;
  private driven = false;

  constructor(operator: string, store: RowRuntime<K, A>, emit: Emit, destination: Subscriber<KafkaRecord<Windowed<K>, A>>, ages: RowAges) {
    this.operator = operator;
    this.store = store;
    this.emit = emit;
    this.destination = destination;
    this.ages = ages;
    const advanced = (): void => {
      this.driveWhatIsDue();
    };
    const clocks: readonly (string | undefined)[] = ages.clocks ?? [undefined];
    this.eventTimes = clocks.map((name) => store.scope.eventTime(store.shape.name, advanced, name));
    this.eventTime = earliestOf(this.eventTimes);
    this.close = emit === 'close' ? new CloseRows(this, destination) : undefined;
    this.openFrom = this.close?.openFrom ?? { value: 0 };
    this.remove = new RemoveRows(this);
    this.driveWhatIsDue();
  }

  /** May a row of this time be made or changed, when an input has come to `eventTime`? */
  accepts(time: number, eventTime: number): boolean {
    return time >= eventTime - this.ages.closesAfter && time >= this.openFrom.value;
  }

  closedBefore(): number {
    return this.eventTime.value - this.ages.closesAfter;
  }

  removableBefore(): number {
    const unused = this.closedBefore() - this.ages.usedFor;
    const { invisibleUpTo } = this.store;
    const hidden = this.ages.keepsTheBound ? invisibleUpTo : invisibleUpTo + 1;
    return unused < hidden ? unused : hidden;
  }

  /** Rows of earlier times need not be written again with others of their key: as removable as can be, and emitted if closes are. */
  droppableBefore(): number {
    const removable = this.removableBefore();
    const { value: openFrom } = this.openFrom;
    return this.close === undefined || removable < openFrom ? removable : openFrom;
  }

  now(): number {
    return this.eventTime.value;
  }

  /** Nothing that this operator emits from now on is older than `least` gives. Say so at subscription. */
  holdBack(least: () => number): void {
    this.eventTimes[0]!.holdBack(least);
  }

  stopped(): boolean {
    return this.store.scope.failed || this.destination.closed;
  }

  driveWhatIsDue(): void {
    if (this.driven || !(this.remove.isDue() || this.close?.isDue() === true)) return;
    this.driven = true;
    this.store.scope.drive(this.step);
  }

  release(): void {
    this.close?.release();
  }

  /** Closes what is due, then removes what nobody needs any more, a bounded number of rows at a time. */
  private readonly step: Step = () => {
    try {
      const left = this.close?.run(ROWS_PER_STEP) ?? ROWS_PER_STEP;
      if (left === 0 || this.remove.run(left) === 0) return false;
    } catch (error) {
      this.destination.error(processingError(error, this.operator));
    }
    this.driven = false;
    return true;
  };
}
