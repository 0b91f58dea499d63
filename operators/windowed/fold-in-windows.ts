import type { NextObserver } from 'rxjs';
import { MillraceError } from '../../src/errors/millrace-error';
import { KafkaRecord } from '../../src/model/record';
import type { InWindows, Window, Windows } from '../../src/model/window';
import type { EventTime } from '../../src/state/event-time';
import type { WindowRuntime } from '../../src/state/handle';
import type { Cell, Counter } from '../../src/state/scope';
import type { Fold } from '../fold/fold';
import type { Emit, LateRecord } from '../fold/options';
import type { Receiver } from '../operator';
import { checkSameWindows } from './assign-windows';
import { changesBytes } from './changes-bytes';
import { lateRecord } from './late-record';
import type { OpenWindows } from './open-windows';
import { WindowedKey } from './windowed-key';

/** One input of an operator that keeps one value a key and window. */
export class FoldInWindows<K, V, A> implements Receiver<InWindows<K, V>> {
  private readonly windows: OpenWindows<K, A>;
  private readonly store: WindowRuntime<K, A>;
  private readonly emit: Emit;
  private readonly fold: Fold<K, V, A>;
  private readonly late: NextObserver<LateRecord<K, V>> | undefined;
  private readonly eventTime: EventTime;
  private readonly grace: number;
  private readonly openFrom: Cell<number>;
  private readonly nullKeys: Counter;
  private readonly lateRecords: Counter;
  private checked: Windows | undefined;

  constructor(windows: OpenWindows<K, A>, eventTime: EventTime, fold: Fold<K, V, A>, late: NextObserver<LateRecord<K, V>> | undefined) {
    const { operator, store, emit, bounds, openFrom } = windows;
    this.windows = windows;
    this.store = store;
    this.emit = emit;
    this.fold = fold;
    this.late = late;
    this.eventTime = eventTime;
    this.grace = bounds.grace;
    this.openFrom = openFrom;
    this.nullKeys = store.scope.counter('dropped-records-total', operator, 'null-key');
    this.lateRecords = store.scope.counter('dropped-records-total', operator, 'late');
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
    this.windows.driveWhatIsDue();
  }

  release(): void {
    this.windows.release();
  }

  private accepts(window: Window): boolean {
    return window.end > this.eventTime.value - this.grace && window.start >= this.openFrom.value;
  }

  private update(record: KafkaRecord<K, V>, window: Window): void {
    const { key } = record;
    const { start } = window;
    // Not `find`: a window that is open here is open, however far another input has come.
    const stored = this.store.read(key, start);
    const before = stored === undefined ? undefined : stored.value;
    const next = this.fold.next(before, record);
    const timestamp = stored !== undefined && stored.timestamp > record.timestamp ? stored.timestamp : record.timestamp;
    const result = (next ?? null) as A;
    // A null written is a removal; like any write it may put older windows out of sight.
    this.store.write(key, start, result, timestamp);
    this.windows.wrote(start);

    if (this.emit === 'close') {
      if (window.end === Infinity) throw neverCloses(start);
      return;
    }
    if (this.emit === 'change' && !changesBytes(this.store.shape.value, before, next)) return;
    const windowed = new WindowedKey(key, start, window.end);
    this.windows.destination.next(KafkaRecord.of(windowed, result, timestamp, record.origin));
  }

  private refuse(record: KafkaRecord<K, V>, window: Window): void {
    this.lateRecords.value += 1;
    this.late?.next(lateRecord(record, window, this.eventTime.value));
  }

  private check(by: Windows): void {
    checkSameWindows(this.windows.operator, by, this.store.shape);
    this.checked = by;
  }
}

function neverCloses(start: number): MillraceError {
  const problem = `the window that starts at ${start} has no end, so that emit 'close' would never emit it; use 'update' or 'change'`;
  return new MillraceError('CONFIG', problem, { where: { option: 'emit' } });
}
