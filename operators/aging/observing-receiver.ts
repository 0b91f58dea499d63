import type { Subscriber } from 'rxjs';
import type { StoreRuntime } from '../../src/state/handle';
import { AgingRows, agingStores } from './aging-rows';

/** A receiver of `operators/operator.ts`. */
interface Receiver<In> {
  receive(input: In): void;
  complete?(): boolean;
  release?(): void;
}

/** What an operator receives moves the event time of those of its stores whose rows age; others cost nothing. */
export function agingWith<In>(
  receivers: readonly Receiver<In>[],
  stores: readonly StoreRuntime[],
  destination: Subscriber<unknown>,
  fail: (cause: unknown) => void,
): readonly Receiver<In>[] {
  const aging = agingStores(stores).map((store) => {
    const stopped = (): boolean => store.scope.failed || destination.closed;
    return new AgingRows(store, stopped, fail);
  });
  return aging.length === 0 ? receivers : receivers.map((receiver) => new ObservingReceiver(receiver, aging));
}

class ObservingReceiver<In> implements Receiver<In> {
  constructor(
    private readonly receiver: Receiver<In>,
    private readonly aging: readonly AgingRows[],
  ) {}

  receive(input: In): void {
    // Key-value stores are reached by records alone.
    const { timestamp } = input as { readonly timestamp: number };
    for (const rows of this.aging) rows.observe(timestamp);
    this.receiver.receive(input);
    for (const rows of this.aging) rows.driveWhatIsDue();
  }

  complete(): boolean {
    return this.receiver.complete?.() ?? true;
  }

  release(): void {
    this.receiver.release?.();
  }
}
