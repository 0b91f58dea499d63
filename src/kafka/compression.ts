import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';
import type * as Fzstd from 'fzstd';
import type * as Lz4 from 'lz4-napi';
import type * as Snappy from 'snappy';
import { MillraceError } from '../errors/millrace-error';
import { attribute } from './record-batch';

/** How batches are written. All of Kafka's codecs are read. */
export type Compression = 'none' | 'gzip' | 'lz4';

/** Bits 0–2 of a batch's attributes. */
const codecBits = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

type Unpack = (packed: Buffer) => Buffer;

/** Packages are loaded when the first batch needs them: most applications never do, and each is optional. */
const load = createRequire(__filename);

/**
 * The records of a batch, unpacked.
 * @throws UNSUPPORTED_COMPRESSION when the codec's package is not installed, PROTOCOL for a codec nobody knows; what the codec
 * itself throws on damaged bytes comes as it is
 */
export function decompress(attributes: number, packed: Buffer, topic: string): Buffer {
  switch (attributes & attribute.compression) {
    case codecBits.none:
      return packed;
    case codecBits.gzip:
      return zlib.gunzipSync(packed);
    case codecBits.snappy:
      return unpackSnappy(packed, snappyFor(topic));
    case codecBits.lz4:
      return lz4For(topic).decompressFrameSync(packed);
    case codecBits.zstd:
      return zstdFor(topic)(packed);
    default:
      throw new MillraceError('PROTOCOL', `topic ${topic}: no compression codec has the number ${attributes & attribute.compression}`);
  }
}

/** `packed` may be larger than `records`; then, and for 'none', the codec bits are 0 and the records come back as they are. */
export function compress(compression: Compression, records: Buffer, topic: string): { readonly bits: number; readonly packed: Buffer } {
  const packed = pack(compression, records, topic);
  return packed.length < records.length ? { bits: codecBits[compression], packed } : { bits: codecBits.none, packed: records };
}

function pack(compression: Compression, records: Buffer, topic: string): Buffer {
  switch (compression) {
    case 'none':
      return records;
    case 'gzip':
      // The fastest level: packing runs on the loop's thread.
      return zlib.gzipSync(records, { level: zlib.constants.Z_BEST_SPEED });
    case 'lz4':
      return lz4For(topic).compressFrameSync(records);
  }
}

/** 0x82 "SNAPPY" 0x00, then two int32 versions: the framing of the JVM's clients. Other clients write one raw block. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER = 16;

function unpackSnappy(packed: Buffer, unpack: Unpack): Buffer {
  if (packed.length < XERIAL_HEADER || !packed.subarray(0, XERIAL.length).equals(XERIAL)) return unpack(packed);
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER; at < packed.length;) {
    const length = packed.readInt32BE(at);
    if (length < 0 || at + 4 + length > packed.length) throw new RangeError(`snappy block of ${length} bytes at ${at} of ${packed.length}`);
    blocks.push(unpack(packed.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks);
}

let snappy: Unpack | undefined;
function snappyFor(topic: string): Unpack {
  if (snappy === undefined) {
    const loaded = required('snappy', topic) as typeof Snappy;
    snappy = (packed) => loaded.uncompressSync(packed, { asBuffer: true }) as Buffer;
  }
  return snappy;
}

let lz4: typeof Lz4 | undefined;
function lz4For(topic: string): typeof Lz4 {
  lz4 ??= required('lz4-napi', topic) as typeof Lz4;
  return lz4;
}

let zstd: Unpack | undefined;
function zstdFor(topic: string): Unpack {
  zstd ??= nativeZstd() ?? zstdInJavaScript(topic);
  return zstd;
}

/** In node:zlib from 22.15 on. */
function nativeZstd(): Unpack | undefined {
  return (zlib as { readonly zstdDecompressSync?: Unpack }).zstdDecompressSync;
}

function zstdInJavaScript(topic: string): Unpack {
  const fzstd = required('fzstd', topic) as typeof Fzstd;
  return (packed) => {
    const bytes = fzstd.decompress(packed);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function required(name: string, topic: string): unknown {
  try {
    return load(name);
  } catch (cause) {
    const message = `topic ${topic} needs the package ${name}, which cannot be loaded; install it: npm install ${name}`;
    throw new MillraceError('UNSUPPORTED_COMPRESSION', message, { cause, where: { topic } });
  }
}
