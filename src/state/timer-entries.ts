import { readInt64 } from '../codec/int64-bytes';
import { MillraceError } from '../errors/millrace-error';
import type { StoreShape } from '../model/store-definition';
import type { StoreContext } from './layered-store';
import { runtime, type Scheduled, type TimerHandle, type TimerRuntime } from './handle';
import { ScheduledEntries } from './scheduled-entries';
import { StoreCodecs } from './store-codecs';

/** Timers, one a key: the value is the time. What has fired is gone. */
export class TimerEntries<K> extends ScheduledEntries<K, number> implements TimerRuntime<K> {
  /** Keys whose timers wait for `release`. */
  private waiting: K[] = [];

  constructor(shape: StoreShape, id: number, context: StoreContext) {
    super(shape, id, context, new StoreCodecs<K, number>(shape));
  }

  set(key: K, time: number, timestamp: number, held: boolean): void {
    this.check(key, time);
    if (!held) {
      this.schedule(key, time, timestamp);
      return;
    }
    this.put(key, 0, time, timestamp);
    this.waiting.push(key);
  }

  cancel(key: K, timestamp: number): void {
    this.remove(key, timestamp);
  }

  fired({ key }: Scheduled<K, number>, timestamp: number): void {
    // Its place in the order goes too: a timer that is set to this very time again must not come up in the same round.
    this.due.take();
    this.remove(key, timestamp);
  }

  release(): void {
    const { waiting } = this;
    if (waiting.length === 0) return;
    this.waiting = [];
    for (const key of waiting) {
      const found = this.find(key);
      if (found !== undefined) this.due.add(this.identityOf(key), found.value);
    }
  }

  keyBytes(identity: string): Uint8Array {
    return this.codecs.identityBytes(identity);
  }

  private check(key: K, time: number): void {
    const where = { store: this.name };
    if (key === null || key === undefined) {
      throw new MillraceError('NULL_KEY', `store ${this.name}: a timer needs a key, this one is set for ${String(key)}`, { where });
    }
    if (Number.isSafeInteger(time) && time >= 0) return;
    const rule = 'it must be a whole number of ms from 0 to 2^53 - 1';
    throw new MillraceError('INVALID_TIMESTAMP', `store ${this.name}: a timer is set for ${String(time)}; ${rule}`, { where });
  }

  protected timeOf(time: number): number {
    return time;
  }

  protected timeIn(bytes: Uint8Array, at: number): number {
    return readInt64(bytes, at);
  }
}

/** What `task.store` gives for a timer store. */
export function timerHandle<K>(entries: TimerEntries<K>): TimerHandle<K> {
  const handle = {
    [runtime]: entries,
    set: (key: K, time: number) => {
      entries.set(key, time, entries.scope.timestamp, false);
    },
    cancel: (key: K) => {
      entries.cancel(key, entries.scope.timestamp);
    },
  };
  return handle as unknown as TimerHandle<K>;
}
