import type { Clock, TimerHandle } from '../time/clock';

/** A clock whose timers all end with it: sessions and transactions must not keep a process alive whose broker is closed. */
export class ClosingClock implements Clock {
  readonly #handles = new Set<TimerHandle>();
  #isClosed = false;

  constructor(private readonly clock: Clock) {}

  now(): number {
    return this.clock.now();
  }

  monotonic(): number {
    return this.clock.monotonic();
  }

  random(): number {
    return this.clock.random();
  }

  setTimer(ms: number, callback: () => void): TimerHandle {
    return this.#set((call) => this.clock.setTimer(ms, call), callback);
  }

  setImmediate(callback: () => void): TimerHandle {
    return this.#set((call) => this.clock.setImmediate(call), callback);
  }

  close(): void {
    this.#isClosed = true;
    for (const handle of this.#handles) handle.cancel();
    this.#handles.clear();
  }

  #set(set: (call: () => void) => TimerHandle, callback: () => void): TimerHandle {
    if (this.#isClosed) return { cancel: () => undefined };
    const inner = set(() => {
      this.#handles.delete(handle);
      callback();
    });
    const handle: TimerHandle = {
      cancel: () => {
        this.#handles.delete(handle);
        inner.cancel();
      },
    };
    this.#handles.add(handle);
    return handle;
  }
}
