/**
 * The partition Java's default partitioner gives a text key: murmur2 over its UTF-8 bytes. Written anew from Kafka's `Utils.murmur2`,
 * so that what checks the library does not rest on it.
 */
export function javaPartition(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % partitions;
}

const M = 0x5bd1e995;

function murmur2(bytes: Buffer): number {
  let hash = 0x9747b28c ^ bytes.length;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    let word = Math.imul(bytes.readInt32LE(at), M);
    word = Math.imul(word ^ (word >>> 24), M);
    hash = Math.imul(hash, M) ^ word;
  }
  const rest = bytes.subarray(at);
  if (rest.length > 0) hash = Math.imul(hash ^ rest.readUIntLE(0, rest.length), M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}
