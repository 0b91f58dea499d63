import type { Duration } from '../../src/model/duration';
import type { EventTime } from '../../src/state/event-time';
import type { AgingRuntime, StoreRuntime } from '../../src/state/handle';
import type { Step } from '../../src/state/scope';

/** Rows that one step looks at: far below a slice of 10 ms, far above the cost of a step. */
const ROWS_PER_STEP = 128;

/** Rows of one store that age as event time passes, for one subscription of the operator on it. Event time is kept in a cell. */
export class AgingRows {
  private readonly store: AgingRuntime;
  readonly eventTime: EventTime;
  private readonly stopped: () => boolean;
  private readonly fail: (cause: unknown) => void;
  private driven = false;

  /**
   * @param stopped the subscription has ended: nothing may be changed any more
   * @param ttl ms; that of the store if it has one
   */
  constructor(store: AgingRuntime, stopped: () => boolean, fail: (cause: unknown) => void, ttl?: Duration) {
    this.store = store;
    this.stopped = stopped;
    this.fail = fail;
    this.eventTime = store.scope.eventTime(store.shape.name, () => {
      this.driveWhatIsDue();
    });
    store.age(this.eventTime, ttl);
    if (store.ready() !== true) this.drive();
    this.driveWhatIsDue();
  }

  observe(timestamp: number): void {
    this.eventTime.observe(timestamp);
  }

  driveWhatIsDue(): void {
    if (!this.driven && this.store.isDue) this.drive();
  }

  private drive(): void {
    this.driven = true;
    this.store.scope.drive(this.step);
  }

  private readonly step: Step = () => {
    const ready = this.store.ready();
    if (ready !== true) return ready;
    try {
      if (!this.stopped() && this.store.removeDue(ROWS_PER_STEP) === 0) return false;
    } catch (error) {
      this.fail(error);
    }
    this.driven = false;
    return true;
  };
}

/** The stores among `stores` that were declared with a `ttl`. */
export function agingStores(stores: readonly StoreRuntime[]): readonly AgingRuntime[] {
  return stores.filter(({ shape }) => shape.ttl !== undefined) as AgingRuntime[];
}
