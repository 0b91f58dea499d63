import { Observable } from 'rxjs';
import { countWithStore, to } from '../../operators';
import type { KafkaRecord } from '../../src/model/record';
import { runtime, type KeyValueHandle } from '../../src/state/handle';
import type { Topology } from '../../src/task/topology';
import { counts, input, results } from './programs';

/** Counts, but each record drives a step that waits until `release`, as a scan of the disk would. */
export function delayedStep(): { readonly topology: Topology; readonly waiting: () => number; readonly release: () => void } {
  let waiting = 0;
  let open: () => void = () => undefined;
  let released = false;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const topology: Topology = ({ stream, store }) => {
    const handle = store(counts);
    const { scope } = (handle as KeyValueHandle<string, number>)[runtime];
    return stream(input).pipe(
      (source) =>
        new Observable<KafkaRecord<string, string>>((subscriber) =>
          source.subscribe({
            next: (record) => {
              waiting++;
              scope.drive(() => (released ? true : gate));
              subscriber.next(record);
            },
            error: (cause: unknown) => {
              subscriber.error(cause);
            },
          }),
        ),
      countWithStore(handle),
      to(results),
    );
  };
  return {
    topology,
    waiting: () => waiting,
    release: () => {
      released = true;
      open();
    },
  };
}
