import * as fc from 'fast-check';
import { positionAfter } from '../../src/kafka/batch-decode';
import type { AbortedTransaction } from '../../src/kafka/port';
import { type NaiveRecord, naiveBatch, naiveMarker } from '../kafka-protocol/naive-batch';
import { readAll } from '../kafka-protocol/read-all';

/** What three producers do to a partition, in any order. */
type Event =
  | { readonly type: 'data'; readonly producer: number; readonly kept: readonly boolean[] }
  | { readonly type: 'plain'; readonly producer: number; readonly kept: readonly boolean[] }
  | { readonly type: 'end'; readonly producer: number; readonly abort: boolean; readonly emptied: boolean }
  | { readonly type: 'gone'; readonly offsets: number };

const producer = fc.nat(2);
const kept = fc.array(fc.boolean(), { minLength: 1, maxLength: 4 });
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('data' as const), producer, kept }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('plain' as const), producer, kept }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('end' as const), producer, abort: fc.boolean(), emptied: fc.constant(false) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('gone' as const), offsets: fc.integer({ min: 1, max: 5 }) }) },
);

interface Log {
  readonly batches: { readonly bytes: Buffer; readonly lastOffset: number }[];
  /** Each record with the transaction it belongs to. */
  readonly records: { readonly offset: number; readonly transaction: Transaction | undefined }[];
  readonly transactions: Transaction[];
}

interface Transaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
  marker: number;
  aborted: boolean;
}

/** Plays the events; transactions still open at the end are aborted, as readers see nothing behind the last stable offset. */
function play(events: readonly Event[]): Log {
  const log: Log = { batches: [], records: [], transactions: [] };
  const open = new Map<bigint, Transaction>();
  let next = 0;
  const end = (transaction: Transaction, aborted: boolean): void => {
    transaction.marker = next;
    transaction.aborted = aborted;
    log.transactions.push(transaction);
    open.delete(transaction.producerId);
    log.batches.push({ bytes: naiveMarker(next, transaction.producerId, aborted ? 'abort' : 'commit'), lastOffset: next });
    next++;
  };
  const write = (producerId: bigint, kept: readonly boolean[], transaction: Transaction | undefined): void => {
    const lastOffset = next + kept.length - 1;
    const offsets = kept.flatMap((isKept, i) => (isKept ? [next + i] : []));
    const bytes = naiveBatch({
      baseOffset: next,
      lastOffset,
      records: offsets.map(recordAt),
      producerId,
      transactional: transaction !== undefined,
    });
    log.batches.push({ bytes, lastOffset });
    log.records.push(...offsets.map((offset) => ({ offset, transaction })));
    next = lastOffset + 1;
  };
  for (const one of events) {
    if (one.type === 'gone') {
      next += one.offsets; // whole batches that compaction has taken
      continue;
    }
    const producerId = BigInt(one.producer);
    if (one.type === 'plain') write(producerId, one.kept, undefined);
    else if (one.type === 'data') {
      const transaction = open.get(producerId) ?? { producerId, firstOffset: next, marker: -1, aborted: false };
      open.set(producerId, transaction);
      write(producerId, one.kept, transaction);
    } else {
      const transaction = open.get(producerId);
      if (transaction !== undefined) end(transaction, one.abort);
    }
  }
  for (const transaction of [...open.values()]) end(transaction, true);
  return log;
}

/** Every third key is four zero bytes, which as a control record's key would mean "abort". */
function recordAt(offset: number): NaiveRecord {
  return { offset, timestamp: 1000 - offset, key: offset % 3 === 0 ? Buffer.alloc(4) : Buffer.from(`k${offset}`), value: null };
}

/** As a broker answers: those that reach to the position, in the order of their markers. */
function abortedFor(log: Log, from: number): AbortedTransaction[] {
  return log.transactions
    .filter(({ aborted, marker }) => aborted && marker >= from)
    .sort((a, b) => a.marker - b.marker)
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }));
}

describe('reading committed', () => {
  it('gives what a filter over whole transactions gives, from any position, whatever is cut off (K8 K9 K10 K11)', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), fc.nat(), fc.nat(), (events, startAt, cutAt) => {
        const log = play(events);
        const end = (log.batches.at(-1)?.lastOffset ?? -1) + 1;
        const from = startAt % (end + 1);
        const fetched = log.batches.filter(({ lastOffset }) => lastOffset >= from);
        const whole = Buffer.concat(fetched.map(({ bytes }) => bytes));
        const set = whole.subarray(0, whole.length - (whole.length === 0 ? 0 : cutAt % whole.length));
        const complete = completeBatches(fetched, set.length);
        const next = complete.at(-1)?.lastOffset ?? from - 1;

        const result = readAll(set, { aborted: abortedFor(log, from), from });
        const visible = log.records.filter(({ offset, transaction }) => offset >= from && offset <= next && !transaction?.aborted);
        expect(result.records.map(({ offset }) => offset)).toEqual(visible.map(({ offset }) => offset));
        expect(result.nextOffset).toBe(next + 1);
        expect(positionAfter(set, from)).toBe(next + 1);

        const uncommitted = readAll(set, { aborted: abortedFor(log, from), from, readCommitted: false });
        const all = log.records.filter(({ offset }) => offset >= from && offset <= next);
        expect(uncommitted.records.map(({ offset }) => offset)).toEqual(all.map(({ offset }) => offset));
      }),
      { numRuns: 1000 },
    );
  });

  it('gives the same in one fetch and in many small ones', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const log = play(events);
        const inOne = readAll(Buffer.concat(log.batches.map(({ bytes }) => bytes)), { aborted: abortedFor(log, 0) });
        const inMany: number[] = [];
        let position = 0;
        for (;;) {
          const batch = log.batches.find(({ lastOffset }) => lastOffset >= position);
          if (batch === undefined) break;
          const result = readAll(batch.bytes, { aborted: abortedFor(log, position), from: position });
          expect(result.nextOffset).toBe(batch.lastOffset + 1);
          inMany.push(...result.records.map(({ offset }) => offset));
          position = result.nextOffset;
        }
        expect(inMany).toEqual(inOne.records.map(({ offset }) => offset));
      }),
    );
  });
});

function completeBatches(batches: Log['batches'], length: number): Log['batches'] {
  let bytes = 0;
  return batches.filter((batch) => (bytes += batch.bytes.length) <= length);
}
