/**
 * The protocol's types, written and read: classic (int16 and int32 lengths) and compact (unsigned varint of length + 1, KIP-482).
 * @see https://kafka.apache.org/protocol.html#protocol_types
 */

const TWO_32 = 4_294_967_296;
const NO_BYTES = Buffer.alloc(0);

/** Bytes that end before they should, or lengths that cannot be. */
export class BytesError extends Error {}

/** A buffer that grows. Whoever knows the size says so: then what is written is copied once. */
export class Writer {
  #buffer: Buffer;
  #at = 0;

  constructor(sizeHint = 256) {
    this.#buffer = Buffer.allocUnsafe(sizeHint);
  }

  #room(bytes: number): number {
    const at = this.#at;
    this.#at = at + bytes;
    if (this.#at > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    return at;
  }

  /** In two steps: the room may be in another buffer. */
  #byte(value: number): this {
    const at = this.#room(1);
    this.#buffer[at] = value;
    return this;
  }

  int8(value: number): this {
    const at = this.#room(1);
    this.#buffer.writeInt8(value, at);
    return this;
  }
  int16(value: number): this {
    const at = this.#room(2);
    this.#buffer.writeInt16BE(value, at);
    return this;
  }
  int32(value: number): this {
    const at = this.#room(4);
    this.#buffer.writeInt32BE(value, at);
    return this;
  }
  /** Whole numbers between ±(2^53 - 1). */
  int64(value: number): this {
    if (!Number.isSafeInteger(value)) throw new BytesError(`not a whole number below 2^53: ${value}`);
    const at = this.#room(8);
    this.#buffer.writeInt32BE(Math.floor(value / TWO_32), at);
    this.#buffer.writeUInt32BE(value >>> 0, at + 4);
    return this;
  }
  bigint64(value: bigint): this {
    const at = this.#room(8);
    this.#buffer.writeBigInt64BE(value, at);
    return this;
  }
  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }
  unsignedVarint(value: number): this {
    let rest = value;
    while (rest > 127) {
      this.#byte((rest & 127) | 128);
      rest >>>= 7;
    }
    return this.#byte(rest);
  }
  /** No tagged fields. */
  tags(): this {
    return this.unsignedVarint(0);
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const length = Buffer.byteLength(value);
    this.int16(length);
    return this.#text(value, length);
  }
  compactString(value: string | null): this {
    if (value === null) return this.unsignedVarint(0);
    const length = Buffer.byteLength(value);
    this.unsignedVarint(length + 1);
    return this.#text(value, length);
  }
  #text(value: string, length: number): this {
    const at = this.#room(length);
    this.#buffer.write(value, at, length);
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#buffer.set(bytes, at);
    return this;
  }
  bytes(value: Uint8Array): this {
    return this.int32(value.length).raw(value);
  }

  array<T>(items: readonly T[], write: (writer: this, item: T) => void): this {
    this.int32(items.length);
    for (const item of items) write(this, item);
    return this;
  }
  compactArray<T>(items: readonly T[], write: (writer: this, item: T) => void): this {
    this.unsignedVarint(items.length + 1);
    for (const item of items) write(this, item);
    return this;
  }

  /** What was written; the writer is done with. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }
}

/** Reads forwards. Slices share the memory of what is read. */
export class Reader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get left(): number {
    return this.#buffer.length - this.#at;
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (bytes < 0 || bytes > this.left) throw new BytesError(`${bytes} bytes at ${at} of ${this.#buffer.length}`);
    this.#at = at + bytes;
    return at;
  }

  int8(): number {
    return this.#buffer.readInt8(this.#take(1));
  }
  int16(): number {
    return this.#buffer.readInt16BE(this.#take(2));
  }
  int32(): number {
    return this.#buffer.readInt32BE(this.#take(4));
  }
  int64(): number {
    const at = this.#take(8);
    return this.#buffer.readInt32BE(at) * TWO_32 + this.#buffer.readUInt32BE(at + 4);
  }
  bigint64(): bigint {
    return this.#buffer.readBigInt64BE(this.#take(8));
  }
  boolean(): boolean {
    return this.int8() !== 0;
  }
  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#buffer[this.#take(1)]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
    throw new BytesError(`a varint of more than five bytes at ${this.#at}`);
  }
  /** Skipped: nothing here needs one. */
  tags(): this {
    for (let count = this.unsignedVarint(); count > 0; count--) {
      this.unsignedVarint();
      this.#take(this.unsignedVarint());
    }
    return this;
  }

  nullableString(): string | null {
    return this.#text(this.int16());
  }
  string(): string {
    return this.nullableString() ?? '';
  }
  nullableCompactString(): string | null {
    return this.#text(this.unsignedVarint() - 1);
  }
  compactString(): string {
    return this.nullableCompactString() ?? '';
  }
  #text(length: number): string | null {
    if (length < 0) return null;
    const at = this.#take(length);
    return this.#buffer.toString('utf8', at, at + length);
  }

  slice(length: number): Buffer {
    const at = this.#take(length);
    return this.#buffer.subarray(at, at + length);
  }
  /** Null and empty are the same here. */
  bytes(): Buffer {
    const length = this.int32();
    return length <= 0 ? NO_BYTES : this.slice(length);
  }

  array<T>(read: (reader: this) => T): T[] {
    return this.#items(this.int32(), read);
  }
  compactArray<T>(read: (reader: this) => T): T[] {
    return this.#items(this.unsignedVarint() - 1, read);
  }
  #items<T>(count: number, read: (reader: this) => T): T[] {
    const items: T[] = [];
    for (let index = 0; index < count; index++) items.push(read(this));
    return items;
  }
}
