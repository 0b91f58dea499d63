/** Writes a request as Kafka's protocol has it. */
export class Request {
  private readonly parts: Buffer[] = [];

  int8(value: number): this {
    return this.part(1, (part) => part.writeInt8(value));
  }

  int16(value: number): this {
    return this.part(2, (part) => part.writeInt16BE(value));
  }

  int32(value: number): this {
    return this.part(4, (part) => part.writeInt32BE(value));
  }

  int64(value: bigint): this {
    return this.part(8, (part) => part.writeBigInt64BE(value));
  }

  string(value: string): this {
    const text = Buffer.from(value);
    this.int16(text.length);
    this.parts.push(text);
    return this;
  }

  array<T>(items: readonly T[], write: (item: T) => unknown): this {
    this.int32(items.length);
    for (const item of items) write(item);
    return this;
  }

  /** Of fewer than 127 bytes. */
  compactString(value: string): this {
    const text = Buffer.from(value);
    this.compactLength(text.length);
    this.parts.push(text);
    return this;
  }

  compactArray<T>(items: readonly T[], write: (request: Request, item: T) => unknown): this {
    this.compactLength(items.length);
    for (const item of items) write(this, item);
    return this;
  }

  /** No tagged fields. */
  tags(): this {
    return this.int8(0);
  }

  finish(): Buffer {
    return Buffer.concat(this.parts);
  }

  private compactLength(length: number): void {
    if (length > 126) throw new RangeError(`${length} is more than one byte can tell`);
    this.int8(length + 1);
  }

  private part(size: number, write: (part: Buffer) => unknown): this {
    const part = Buffer.alloc(size);
    write(part);
    this.parts.push(part);
    return this;
  }
}

/** Reads an answer, field by field. */
export class Answer {
  private at = 0;

  constructor(private readonly buffer: Buffer) {}

  int8(): number {
    return this.buffer.readInt8((this.at += 1) - 1);
  }

  int16(): number {
    return this.buffer.readInt16BE((this.at += 2) - 2);
  }

  int32(): number {
    return this.buffer.readInt32BE((this.at += 4) - 4);
  }

  int64(): bigint {
    return this.buffer.readBigInt64BE((this.at += 8) - 8);
  }

  /** Null is read as ''. */
  string(): string {
    return this.take(this.int16()).toString('utf8');
  }

  /** Null is read as no bytes. */
  bytes(): Buffer {
    return this.take(this.int32());
  }

  array<T>(read: () => T): T[] {
    const length = this.int32();
    return Array.from({ length: Math.max(0, length) }, read);
  }

  private take(length: number): Buffer {
    if (length <= 0) return Buffer.alloc(0);
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }
}
