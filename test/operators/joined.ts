/** Two streams through a join, input by input. */
import { Subject } from 'rxjs';
import { joinStream, type JoinKind, type JoinOptions } from '../../operators';
import type { JoinStore } from '../../src/model/join';
import type { KafkaRecord } from '../../src/model/record';

export type Text = KafkaRecord<string, string>;

export interface Arriving {
  readonly left?: Text;
  readonly right?: Text;
}

export interface Joined {
  /** One an output: number of the input, key, pair, time. */
  readonly lines: readonly string[];
  readonly error: unknown;
}

export const pair = (left: string | undefined, right: string | undefined): string => `${left ?? '-'} ${right ?? '-'}`;

export function joined(
  store: JoinStore<string, string, string>,
  arriving: readonly Arriving[],
  options: JoinOptions<string, string, string> & { readonly kind?: JoinKind } = {},
): Joined & { lines: string[] } {
  const [left, right] = [new Subject<Text>(), new Subject<Text>()];
  const lines: string[] = [];
  let failure: unknown;
  let input = 0;
  const subscription = left.pipe(joinStream(right, store, pair, options as { kind: 'outer' })).subscribe({
    next: ({ key, value, timestamp }) => lines.push(`${input}: ${key} ${value} at ${timestamp}`),
    error: (error: unknown) => (failure = error),
  });
  for (const each of arriving) {
    if (each.left !== undefined) left.next(each.left);
    if (each.right !== undefined) right.next(each.right);
    input++;
  }
  subscription.unsubscribe();
  return { lines, error: failure };
}
