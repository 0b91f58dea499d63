/** Joins of streams, behind internal topics: whoever is killed in between, what must come of them follows from the records alone. */
import { merge, share } from 'rxjs';
import { joinStream, joinTable, to } from '../../../operators';
import { string } from '../../../src/codec/primitives';
import { internalTopic, topic } from '../../../src/codec/topic';
import { hours, seconds } from '../../../src/model/duration';
import { bufferStore } from '../../../src/state/buffer-definition';
import { joinStore } from '../../../src/state/join-definition';
import type { Topology } from '../../../src/task/topology';

const codecs = { key: string, value: string };

/** Wide enough that nothing is late, whatever the order in which lives write. */
export const WINDOWS = { before: seconds(2), after: seconds(5), grace: hours(1) };

/** The key that a record is joined by is the first word of its value. */
export const keyOf = (value: string): string => value.split(' ')[0] ?? '';

export function joinsOfStreams(prefix: string) {
  const inputs = { left: topic(`${prefix}left`, codecs), right: topic(`${prefix}right`, codecs), rows: topic(`${prefix}rows`, codecs) };
  const results = {
    inner: topic(`${prefix}inner`, codecs),
    left: topic(`${prefix}alone`, codecs),
    inTime: topic(`${prefix}in-time`, codecs),
  };
  const sides = { key: string, left: string, right: string, windows: WINDOWS };
  const innerRows = joinStore('inner-rows', sides);
  const leftRows = joinStore('left-rows', sides);
  const waiting = bufferStore('waiting', codecs);
  const leftByKey = internalTopic('left-by-key', codecs);
  const rightByKey = internalTopic('right-by-key', codecs);

  const topology: Topology = ({ stream, store, table, repartition }) => {
    const left = stream(inputs.left).pipe(repartition(leftByKey, keyOf), share());
    const right = stream(inputs.right).pipe(repartition(rightByKey, keyOf), share());
    const versions = table(inputs.rows, { history: hours(1) });
    return merge(
      left.pipe(
        joinStream(right, store(innerRows), (a, b) => `${a} & ${b}`),
        to(results.inner),
      ),
      left.pipe(
        joinStream(right, store(leftRows), (a, b) => `${a} & ${b ?? 'nobody'}`, { kind: 'left' }),
        to(results.left),
      ),
      left.pipe(
        joinTable(versions, (value, row) => `${value} @ ${row ?? 'nothing'}`, { kind: 'left', grace: seconds(5), buffer: store(waiting) }),
        to(results.inTime),
      ),
    );
  };
  return { topology, inputs, results };
}
