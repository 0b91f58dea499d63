/** So many at once, in the order in which they asked. */
export class Turns {
  private readonly waiting = new Set<() => void>();

  constructor(private free: number) {}

  /** Settles with what ends the turn, callable more than once; at once, and without a turn, when it is cancelled. */
  async take(cancelled?: AbortSignal): Promise<() => void> {
    if (cancelled?.aborted === true) return noTurn;
    if (this.free > 0) this.free--;
    else if (!(await this.wait(cancelled))) return noTurn;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.end();
    };
  }

  private wait(cancelled: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const begin = (): void => {
        cancelled?.removeEventListener('abort', giveUp);
        resolve(true);
      };
      const giveUp = (): void => {
        this.waiting.delete(begin);
        resolve(false);
      };
      this.waiting.add(begin);
      cancelled?.addEventListener('abort', giveUp, { once: true });
    });
  }

  private end(): void {
    const [next] = this.waiting;
    if (next === undefined) {
      this.free++;
      return;
    }
    this.waiting.delete(next);
    next();
  }
}

const noTurn = (): void => undefined;
