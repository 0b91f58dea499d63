import { int64 } from '../../src/codec/primitives';
import type { Codec } from '../../src/model/codec';
import { BatchReader } from '../../src/kafka/batch-decode';
import { BatchBuilder, stamp } from '../../src/kafka/batch-encode';
import { RecordDecoder } from '../../src/task/record-decoder';
import { manualClock, type ManualClock } from '../../src/time/manual-clock';
import { errorWith } from '../operators/errors';

const MAX_FUTURE = 60_000;
let clock: ManualClock;
let decoder: RecordDecoder;

beforeEach(() => {
  clock = manualClock();
  decoder = new RecordDecoder({
    topic: 't',
    partition: 0,
    key: int64 as Codec<unknown>,
    value: int64 as Codec<unknown>,
    keyless: true,
    timestamp: undefined,
    maxFuture: { ms: MAX_FUTURE, now: () => clock.now() },
  });
});

/** The timestamp with which a record is taken. */
function taken(timestamp: number): number {
  const builder = new BatchBuilder();
  builder.append(timestamp, null, Buffer.alloc(8));
  const batch = builder.finish({ compression: 'none', transactional: false });
  stamp(batch, 1n, 0, 0);
  const reader = new BatchReader({ topic: 't', partition: 0 });
  reader.reset(batch.bytes, { aborted: [], from: 0, readCommitted: true });
  reader.nextRecord();
  return decoder.decode(reader).timestamp;
}

const refused = errorWith({ code: 'INVALID_TIMESTAMP', message: 'maxFuture' });

describe('maxFuture', () => {
  it('takes what lies just so far ahead of the wall clock, and nothing beyond', () => {
    const latest = clock.now() + MAX_FUTURE;
    expect(taken(latest)).toBe(latest);
    expect(() => taken(latest + 1)).toThrow(refused);
  });

  it('goes by the wall clock of the moment at which the record is read', async () => {
    const timestamp = clock.now() + MAX_FUTURE + 500;
    expect(() => taken(timestamp)).toThrow(refused);
    await clock.advance(499);
    expect(() => taken(timestamp)).toThrow(refused);
    await clock.advance(1);
    expect(taken(timestamp)).toBe(timestamp);
  });
});
