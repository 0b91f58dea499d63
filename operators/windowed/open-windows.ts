import type { Subscriber } from 'rxjs';
import type { KafkaRecord } from '../../src/model/record';
import type { Windowed, Windows } from '../../src/model/window';
import type { EventTime } from '../../src/state/event-time';
import type { WindowRuntime } from '../../src/state/handle';
import type { Cell, Step } from '../../src/state/scope';
import { boundsOf, type WindowBounds } from '../../src/state/windows';
import type { Emit } from '../fold/options';
import { processingError } from '../operator';
import { CloseWindows } from './close-windows';
import { earliestOf } from './earliest-time';
import { oldestOpen } from './oldest-open';
import { RemoveWindows } from './remove-windows';
import type { WalkedWindows, WindowWalk } from './window-walk';

/** Entries that one step emits or removes: far below a slice of 10 ms, far above the cost of a step. */
const ENTRIES_PER_STEP = 128;

/**
 * The windows of one operator: what its inputs share. They close, and are removed, when event time has passed them at every input.
 * Event time is kept in cells: what was late before a restart is late after it.
 */
export class OpenWindows<K, A> {
  readonly operator: string;
  readonly store: WindowRuntime<K, A>;
  readonly emit: Emit;
  readonly destination: Subscriber<KafkaRecord<Windowed<K>, A>>;
  readonly bounds: WindowBounds;
  /** One for each of the names, in their order. */
  readonly eventTimes: readonly EventTime[];
  /** Windows that start before this have been emitted whole. */
  readonly openFrom: Cell<number>;
  private readonly close: CloseWindows<K, A> | undefined;
  private readonly remove: RemoveWindows<K, A>;
  private readonly walks: readonly WindowWalk<K, A>[];
  private driven = false;

  /** @param clocks names of the inputs' clocks: they must stay the same from version to version */
  constructor(
    operator: string,
    store: WindowRuntime<K, A>,
    emit: Emit,
    destination: Subscriber<KafkaRecord<Windowed<K>, A>>,
    clocks: readonly (string | undefined)[] = [undefined],
  ) {
    const { scope, shape } = store;
    this.operator = operator;
    this.store = store;
    this.emit = emit;
    this.destination = destination;
    this.bounds = boundsOf(shape.windows!);
    const advanced = (): void => {
      this.driveWhatIsDue();
    };
    this.eventTimes = clocks.map((name) => scope.eventTime(shape.name, advanced, name));
    const eventTime = earliestOf(this.eventTimes);
    const oldest = oldestOpen(shape.windows as Windows);
    this.eventTimes[0]!.holdBack(() => oldest(eventTime.value - this.bounds.grace));
    const stopped = (): boolean => scope.failed || destination.closed;
    const walked: WalkedWindows<K, A> = { store, bounds: this.bounds, eventTime, stopped };
    this.close = emit === 'close' ? new CloseWindows(walked, destination) : undefined;
    this.remove = new RemoveWindows(walked);
    this.walks = this.close === undefined ? [this.remove] : [this.close, this.remove];
    this.openFrom = this.close?.openFrom ?? { value: 0 };
    for (const walk of this.walks) walk.seek();
    this.driveWhatIsDue();
  }

  /** An entry of the window at `start` was written. */
  wrote(start: number): void {
    this.close?.wrote(start);
    this.remove.wrote(start);
  }

  driveWhatIsDue(): void {
    if (this.driven || !(this.remove.isDue() || this.close?.isDue() === true)) return;
    this.driven = true;
    this.store.scope.drive(this.step);
  }

  release(): void {
    for (const walk of this.walks) walk.close();
  }

  /** Closes what is due, then removes what nobody can read any more, a bounded number of entries at a time. */
  private readonly step: Step = () => {
    try {
      let budget = ENTRIES_PER_STEP;
      for (const walk of this.walks) {
        const left = walk.run(budget);
        if (typeof left !== 'number') return left;
        if (left === 0) return false;
        budget = left;
      }
    } catch (error) {
      this.destination.error(processingError(error, this.operator));
    }
    this.driven = false;
    return true;
  };
}
