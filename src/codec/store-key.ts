import { writeInt32, writeInt64 } from './int64-bytes';

/*
 * The binary forms of Kafka Streams' stores and their changelogs. Big-endian; LevelDB and RocksDB compare them unsigned.
 * Keys vary in length and stand before the time, so a range over one key can meet another's: check the exact length.
 */

/** A time: whole ms ≥ 0, or any int64 as a bigint. */
export type Int64 = number | bigint;

/** The first byte of the two layouts a store with an index mixes. */
export const TIME_FIRST = 0x00;
export const KEY_FIRST = 0x01;

/** key ‖ i64 start ‖ i32 sequence; the sequence is 0 unless the store keeps duplicates. */
export function windowStoreKey(key: Uint8Array, start: Int64, sequence = 0): Uint8Array {
  const bytes = new Uint8Array(key.length + 12);
  bytes.set(key);
  writeInt64(bytes, start, key.length);
  writeInt32(bytes, sequence, key.length + 8);
  return bytes;
}

/** 0x00 ‖ i64 start ‖ key ‖ i32 sequence: windows in the order of time. */
export function timeFirstKey(key: Uint8Array, start: Int64, sequence = 0): Uint8Array {
  const bytes = new Uint8Array(key.length + 13);
  bytes[0] = TIME_FIRST;
  writeInt64(bytes, start, 1);
  bytes.set(key, 9);
  writeInt32(bytes, sequence, key.length + 9);
  return bytes;
}

/** 0x01 ‖ key ‖ i64 start ‖ i32 sequence: the index by key beside time-first entries. */
export function keyFirstKey(key: Uint8Array, start: Int64, sequence = 0): Uint8Array {
  const bytes = new Uint8Array(key.length + 13);
  bytes[0] = KEY_FIRST;
  bytes.set(key, 1);
  writeInt64(bytes, start, key.length + 1);
  writeInt32(bytes, sequence, key.length + 9);
  return bytes;
}

/** key ‖ i64 start: the key of a time window in a topic. */
export function windowTopicKey(key: Uint8Array, start: Int64): Uint8Array {
  const bytes = new Uint8Array(key.length + 8);
  bytes.set(key);
  writeInt64(bytes, start, key.length);
  return bytes;
}

/** key ‖ i64 end ‖ i64 start: the key of a session in topic, store and changelog. */
export function sessionKey(key: Uint8Array, start: Int64, end: Int64): Uint8Array {
  const bytes = new Uint8Array(key.length + 16);
  bytes.set(key);
  writeInt64(bytes, end, key.length);
  writeInt64(bytes, start, key.length + 8);
  return bytes;
}

/** 0x00 ‖ i64 end ‖ i64 start ‖ key: sessions in the order of their ends. */
export function sessionTimeFirstKey(key: Uint8Array, start: Int64, end: Int64): Uint8Array {
  const bytes = new Uint8Array(key.length + 17);
  bytes[0] = TIME_FIRST;
  writeInt64(bytes, end, 1);
  writeInt64(bytes, start, 9);
  bytes.set(key, 17);
  return bytes;
}

/** i64 timestamp ‖ value: a value in a store with timestamps. Its changelog holds the value alone; the record has the time. */
export function valueAndTimestamp(timestamp: Int64, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(value.length + 8);
  writeInt64(bytes, timestamp, 0);
  bytes.set(value, 8);
  return bytes;
}
