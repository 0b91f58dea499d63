import { javaPartition } from '../../examples/java-partition';

/** From `UtilsTest.testMurmur2` of Apache Kafka. */
const hashes: readonly (readonly [key: string, murmur2: number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

describe('javaPartition', () => {
  it.each(hashes)('hashes %s as Java does', (key, murmur2) => {
    expect(javaPartition(key, 2 ** 31)).toBe(murmur2 & 0x7fffffff);
    expect(javaPartition(key, 7)).toBe((murmur2 & 0x7fffffff) % 7);
  });
});
