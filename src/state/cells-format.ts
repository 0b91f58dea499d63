import { MillraceError } from '../errors/millrace-error';

/*
 * Cells as offset metadata: base64 of
 *
 *   u8 version · count · { name · u32 carried · count · { name · value } }      stores, then their cells
 *
 * where a count is a varint, a name is varint length ‖ UTF-8, and `carried`, unless 0, tells the set of stores of a plan that did not
 * know the store. A value is a tag and what follows from it.
 */

const VERSION = 1;

const TAG = { integer: 0, negative: 1, float64: 2, latin1: 3, utf8: 4 } as const;

/** Bytes of a number at most, its tag included; a varint of 2^53 has eight bytes, and so has a double. */
export const NUMBER_BYTES = 9;

export type CellValue = number | string;

export interface CellsOfStore {
  readonly store: string;
  /** 0: the writer knew the store. */
  readonly carried: number;
  readonly cells: ReadonlyMap<string, CellValue>;
}

export function encodeCells(stores: readonly CellsOfStore[]): string {
  const writer = new Writer();
  writer.byte(VERSION);
  writer.count(stores.length);
  for (const { store, carried, cells } of stores) {
    writer.text(store);
    writer.uint32(carried);
    writer.count(cells.size);
    for (const [name, value] of cells) {
      writer.text(name);
      writer.value(value);
    }
  }
  return Buffer.from(writer.bytes).toString('base64');
}

/** @throws PROTOCOL for metadata that is none of ours, or of a later version */
export function decodeCells(metadata: string): readonly CellsOfStore[] {
  const reader = new Reader(Buffer.from(metadata, 'base64'));
  const version = reader.byte();
  if (version !== VERSION) {
    throw new MillraceError(
      'PROTOCOL',
      `the committed offset carries operators' state in format ${version}, this version reads format ${VERSION}; ` +
        'a newer version of millrace has worked here: run that one, or reset the application',
    );
  }
  const stores: CellsOfStore[] = [];
  for (let left = reader.count(); left > 0; left--) {
    const store = reader.text();
    const carried = reader.uint32();
    const cells = new Map<string, CellValue>();
    for (let inside = reader.count(); inside > 0; inside--) cells.set(reader.text(), reader.value());
    stores.push({ store, carried, cells });
  }
  return stores;
}

class Writer {
  readonly bytes: number[] = [];

  byte(value: number): void {
    this.bytes.push(value & 0xff);
  }

  uint32(value: number): void {
    for (let shift = 24; shift >= 0; shift -= 8) this.byte(value >>> shift);
  }

  /** Any safe integer from 0. */
  count(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80);
    this.byte(rest);
  }

  text(text: string): void {
    this.piece(Buffer.from(text, 'utf8'));
  }

  value(value: CellValue): void {
    if (typeof value === 'string') {
      const isLatin1 = !/[^\0-\xff]/.test(value);
      this.byte(isLatin1 ? TAG.latin1 : TAG.utf8);
      this.piece(Buffer.from(value, isLatin1 ? 'latin1' : 'utf8'));
    } else if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      this.byte(value < 0 ? TAG.negative : TAG.integer);
      this.count(Math.abs(value));
    } else {
      this.byte(TAG.float64);
      const double = Buffer.alloc(8);
      double.writeDoubleBE(value);
      this.bytes.push(...double);
    }
  }

  private piece(bytes: Buffer): void {
    this.count(bytes.length);
    this.bytes.push(...bytes);
  }
}

class Reader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw cutOff();
    return value;
  }

  uint32(): number {
    let value = 0;
    for (let i = 0; i < 4; i++) value = value * 256 + this.byte();
    return value;
  }

  count(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  text(): string {
    return this.piece().toString('utf8');
  }

  value(): CellValue {
    switch (this.byte()) {
      case TAG.integer:
        return this.count();
      case TAG.negative:
        return -this.count();
      case TAG.float64:
        return this.slice(8).readDoubleBE();
      case TAG.latin1:
        return this.piece().toString('latin1');
      case TAG.utf8:
        return this.piece().toString('utf8');
      default:
        throw cutOff();
    }
  }

  private piece(): Buffer {
    return this.slice(this.count());
  }

  private slice(length: number): Buffer {
    const end = this.at + length;
    if (end > this.bytes.length) throw cutOff();
    const piece = this.bytes.subarray(this.at, end);
    this.at = end;
    return piece;
  }
}

function cutOff(): MillraceError {
  return new MillraceError(
    'PROTOCOL',
    "the metadata of the committed offset is not millrace's, or is cut off; was the offset committed by another client? Reset the application",
  );
}
