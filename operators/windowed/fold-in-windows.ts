import type { NextObserver, Subscriber } from 'rxjs';
import { KafkaRecord } from '../../src/model/record';
import type { InWindows, Window, Windowed, Windows } from '../../src/model/window';
import type { WindowRuntime } from '../../src/state/handle';
import type { EventTime } from '../../src/state/event-time';
import type { Cell, Counter, Step } from '../../src/state/scope';
import { boundsOf, type WindowBounds } from '../../src/state/windows';
import type { Fold } from '../fold/fold';
import type { Emit, LateRecord, Windowing } from '../fold/options';
import { processingError, type Receiver } from '../operator';
import { checkSameWindows } from './assign-windows';
import { changesBytes } from './changes-bytes';
import { CloseWindows } from './close-windows';
import { RemoveWindows } from './remove-windows';
import type { WalkedWindows, WindowWalk } from './window-walk';
import { WindowedKey } from './windowed-key';

/** Entries that one step emits or removes: far below a slice of 10 ms, far above the cost of a step. */
const ENTRIES_PER_STEP = 128;

/**
 * One value a key and window. Event time is kept in cells: what was late before a restart is late after it.
 */
export class FoldInWindows<K, V, A> implements Receiver<InWindows<K, V>> {
  private readonly operator: string;
  private readonly store: WindowRuntime<K, A>;
  private readonly fold: Fold<K, V, A>;
  private readonly emit: Emit;
  private readonly late: NextObserver<LateRecord<K, V>> | undefined;
  private readonly destination: Subscriber<KafkaRecord<Windowed<K>, A>>;

  private readonly bounds: WindowBounds;
  private readonly eventTime: EventTime;
  private readonly openFrom: Cell<number>;
  private readonly close: CloseWindows<K, A> | undefined;
  private readonly remove: RemoveWindows<K, A>;
  private readonly walks: readonly WindowWalk<K, A>[];
  private readonly nullKeys: Counter;
  private readonly lateRecords: Counter;
  private checked: Windows | undefined;
  private driven = false;

  constructor(
    operator: string,
    store: WindowRuntime<K, A>,
    fold: Fold<K, V, A>,
    windowing: Windowing<K, V, Emit>,
    destination: Subscriber<KafkaRecord<Windowed<K>, A>>,
  ) {
    const { scope, shape } = store;
    this.operator = operator;
    this.store = store;
    this.fold = fold;
    this.emit = windowing.emit ?? 'update';
    this.late = windowing.late;
    this.destination = destination;
    this.bounds = boundsOf(shape.windows!);
    this.nullKeys = scope.counter('dropped-records-total', operator, 'null-key');
    this.lateRecords = scope.counter('dropped-records-total', operator, 'late');

    this.eventTime = scope.eventTime(shape.name, () => {
      this.driveWhatIsDue();
    });
    const stopped = (): boolean => scope.failed || destination.closed;
    const walked: WalkedWindows<K, A> = { store, bounds: this.bounds, eventTime: this.eventTime, stopped };
    this.close = this.emit === 'close' ? new CloseWindows(walked, destination) : undefined;
    this.remove = new RemoveWindows(walked);
    this.walks = this.close === undefined ? [this.remove] : [this.close, this.remove];
    this.openFrom = this.close?.openFrom ?? { value: 0 };
    for (const walk of this.walks) walk.seek();
    this.driveWhatIsDue();
  }

  receive({ record, windows, by }: InWindows<K, V>): void {
    if (by !== this.checked) this.check(by);
    if (record.key === null || record.key === undefined) {
      this.nullKeys.value += 1;
      return;
    }
    // Late ones too: stream time never waits for acceptance.
    this.eventTime.observe(record.timestamp);
    for (const window of windows) {
      if (this.accepts(window)) this.update(record, window);
      else this.refuse(record, window);
    }
    this.driveWhatIsDue();
  }

  release(): void {
    for (const walk of this.walks) walk.close();
  }

  private accepts(window: Window): boolean {
    return window.end > this.eventTime.value - this.bounds.grace && window.start >= this.openFrom.value;
  }

  private update(record: KafkaRecord<K, V>, window: Window): void {
    const { key } = record;
    const { start } = window;
    const stored = this.store.find(key, start);
    const before = stored === undefined ? undefined : stored.value;
    const next = this.fold.next(before, record);
    const timestamp = stored !== undefined && stored.timestamp > record.timestamp ? stored.timestamp : record.timestamp;
    const result = (next ?? null) as A;
    // A null written is a removal; like any write it may put older windows out of sight.
    this.store.write(key, start, result, timestamp);
    this.close?.wrote(start);
    this.remove.wrote(start);

    if (this.emit === 'close' || (this.emit === 'change' && !changesBytes(this.store.shape.value, before, next))) return;
    const windowed = new WindowedKey(key, start, window.end);
    this.destination.next(KafkaRecord.of(windowed, result, timestamp, record.origin));
  }

  private refuse(record: KafkaRecord<K, V>, window: Window): void {
    this.lateRecords.value += 1;
    this.late?.next({ record, window, streamTime: this.eventTime.value });
  }

  private driveWhatIsDue(): void {
    if (this.driven || !(this.remove.isDue() || this.close?.isDue() === true)) return;
    this.driven = true;
    this.store.scope.drive(this.step);
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

  private check(by: Windows): void {
    checkSameWindows(this.operator, by, this.store.shape);
    this.checked = by;
  }
}
