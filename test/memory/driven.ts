import type { KafkaPort } from '../../src/kafka/port';
import type { ManualClock } from '../../src/time/manual-clock';

/** While a test awaits something, time passes from one event to the next; while it thinks, time stands still. */
export class Driven {
  #waiting = 0;
  #isDriving = false;
  #giveUp: ((error: Error) => void) | undefined;
  readonly #stuck: Promise<never> = new Promise((_, reject) => (this.#giveUp = reject));

  constructor(private readonly clock: ManualClock) {
    this.#stuck.catch(() => undefined);
  }

  async awaited<T>(answer: Promise<T>): Promise<T> {
    this.#waiting++;
    if (!this.#isDriving) void this.#drive();
    try {
      return await Promise.race([answer, this.#stuck]);
    } finally {
      this.#waiting--;
    }
  }

  /** The port, with every answer awaited in this way. */
  port(port: KafkaPort): KafkaPort {
    return new Proxy(port, {
      get: (target, name: keyof KafkaPort) => {
        const method = target[name] as ((...args: unknown[]) => Promise<unknown>) | undefined;
        // Not a method: the runtime asks whether this is a promise.
        if (method === undefined) return undefined;
        return (...args: unknown[]) => this.awaited(method.apply(target, args));
      },
    });
  }

  async #drive(): Promise<void> {
    this.#isDriving = true;
    while (this.#waiting > 0) {
      if (!(await this.clock.step())) this.#giveUp?.(new Error('a test awaits something, and nothing is set that could bring it about'));
    }
    this.#isDriving = false;
  }
}
