import { marbleAssert } from '../diagrams/marble-assert';
import type { Frame } from '../diagrams/drawing';
import type { Outgoing } from '../../model/outgoing';
import { parseRow, rowError } from './rows';

/** What a topic's committed records are compared with. */
export interface ClusterExpectation<K, V> {
  /** @throws Error that shows both rows under each other, with the first difference in words; CONFIG for a symbol without a value */
  toBe(marbles: string, values: Readonly<Record<string, Outgoing<K, V>>>): void;
}

export function expectedFrames<K, V>(
  topic: string,
  seen: readonly { readonly frame: number; readonly output: Outgoing<K, V> }[],
): ClusterExpectation<K, V> {
  return {
    toBe: (marbles, values) => {
      const expected = parseRow(marbles, topic).map(({ frame, symbol }): Frame => {
        const value = values[symbol];
        if (value === undefined) throw rowError(topic, marbles, `there is no output for "${symbol}" at frame ${frame}`);
        return { frame, notification: { kind: 'N', value } };
      });
      const actual = seen.map(({ frame, output }): Frame => ({ frame, notification: { kind: 'N', value: output } }));
      marbleAssert(actual, expected);
    },
  };
}
