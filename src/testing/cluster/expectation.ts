import { marbleAssert } from '../diagrams/marble-assert';
import type { Frame } from '../diagrams/drawing';
import type { Duration } from '../../model/duration';
import type { Outgoing } from '../../model/outgoing';
import { Row } from './rows';

/** What a topic's committed records are compared with. */
export interface ClusterExpectation<K, V> {
  /** @throws Error that shows both rows under each other, with the first difference in words, the seed and the run; CONFIG for a symbol without a value */
  toBe(marbles: string, values: Readonly<Record<string, Outgoing<K, V>>>): void;
}

export function expectedFrames<K, V>(
  topic: string,
  frameMs: Duration,
  seen: readonly { readonly frame: number; readonly output: Outgoing<K, V> }[],
  told: (difference: unknown) => unknown,
): ClusterExpectation<K, V> {
  return {
    toBe: (marbles, values) => {
      const row = new Row(topic, marbles, frameMs);
      const expected = row.symbols.map(({ frame, symbol }): Frame => {
        const value = values[symbol];
        if (value === undefined) throw row.error(`there is no output for "${symbol}" at frame ${frame}`);
        return { frame, notification: { kind: 'N', value } };
      });
      const actual = seen.map(({ frame, output }): Frame => ({ frame, notification: { kind: 'N', value: output } }));
      try {
        marbleAssert(actual, expected);
      } catch (cause) {
        throw told(cause);
      }
    },
  };
}
