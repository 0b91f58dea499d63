import { BatchReader } from '../../src/kafka/batch-decode';
import { BatchBuilder, stamp } from '../../src/kafka/batch-encode';
import { markerHeaders, readMarker, withoutMarker, type WatermarkMarker } from '../../src/task/watermark-marker';
import { errorWith } from '../operators/errors';

type Bytes = string | null;

function read(key: Bytes, value: Bytes, headers: ReadonlyMap<string, Uint8Array>): WatermarkMarker | undefined {
  const builder = new BatchBuilder();
  builder.append(5, key, value, headers);
  const batch = builder.finish({ compression: 'none', transactional: false });
  stamp(batch, 1n, 0, 0);
  const reader = new BatchReader({ topic: 't', partition: 0 });
  reader.reset(batch.bytes, { aborted: [], from: 0, readCommitted: true });
  reader.nextRecord();
  return readMarker(reader);
}

const marker: WatermarkMarker = { task: 7, watermark: 1_760_000_000_123, idle: false, at: 1_760_000_001_000 };

describe('a watermark marker', () => {
  it.each([
    marker,
    { ...marker, idle: true },
    { task: 300, watermark: -1, idle: true, at: 0 },
    { task: 0, watermark: 2 ** 53 - 1, idle: false, at: 2 ** 53 - 1 },
  ])('is read as it was written: %j', (each) => {
    expect(read(null, null, markerHeaders(each))).toEqual(each);
  });

  it.each([
    ['a key', 'k', null],
    ['a value', null, 'v'],
  ])('is none with %s: whatever headers a record of a user’s has, it is a record', (_, key, value) => {
    expect(read(key, value, markerHeaders(marker))).toBeUndefined();
  });

  it('is none without its header', () => {
    expect(read(null, null, new Map([['trace', new Uint8Array(1)]]))).toBeUndefined();
    expect(read(null, null, new Map())).toBeUndefined();
  });

  it('of a later version is an error that says so', () => {
    const headers = markerHeaders(marker);
    headers.get('__millrace.watermark')![0] = 9;
    expect(() => read(null, null, headers)).toThrow(errorWith({ code: 'PROTOCOL', message: 'newer version' }));
  });

  it('is taken off a record of a user’s that would be taken for one, and nothing else is', () => {
    const trace = new Uint8Array([1]);
    expect(withoutMarker(new Map([...markerHeaders(marker), ['trace', trace]]))).toEqual(new Map([['trace', trace]]));
    const others = new Map([['trace', trace]]);
    expect(withoutMarker(others)).toBe(others);
  });
});
