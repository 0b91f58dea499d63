import { createHash } from 'node:crypto';
import { left, right, type Either } from 'fp-ts/Either';
import { MillraceError } from '../../src/errors/millrace-error';
import type { Codec } from '../../src/model/codec';
import { toBytes } from '../../src/codec/utf8';

/*
 * What the two sides of a join by foreign key say to each other, over internal topics.
 *
 *   subscription   u8 instruction ‖ 16 bytes hash ‖ key      to the row that is referred to
 *   answer         16 bytes hash ‖ u8 is there ‖ row          back to the row that refers; if there is none: the key of what is missing
 *
 * The hash is of the value that the row had when it subscribed. An answer that comes when it has another is out of date: another is on
 * its way.
 *
 * In an inner join that other need not come: where nothing is there, nothing is said. So there the news that something is missing counts
 * for whatever value the row has now, as long as it refers to that; and whoever is unsubscribed is told the same, for an answer to it may
 * be under way that fits again when the row comes back.
 */

export type Instruction = 'unsubscribe' | 'answer-always' | 'answer-if-there' | 'unsubscribe-and-answer';

export interface Subscription {
  readonly instruction: Instruction;
  readonly hash: Uint8Array;
  /** Bytes of the key that refers. */
  readonly key: Uint8Array;
}

export interface Answer<R> {
  readonly hash: Uint8Array;
  /** undefined: there is no such row. */
  readonly row: R | undefined;
  /** Bytes of its key, then. */
  readonly missing: Uint8Array | undefined;
}

const HASH = 16;
const instructions: readonly Instruction[] = ['unsubscribe', 'answer-always', 'answer-if-there', 'unsubscribe-and-answer'];

/** 128 bits; equal values give equal bytes, and equal hashes. */
export function hashOf(value: string | Uint8Array): Uint8Array {
  return createHash('sha256').update(value).digest().subarray(0, HASH);
}

export function equalHashes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

export const subscription: Codec<Subscription> = {
  encode: ({ instruction, hash, key }) => {
    const bytes = new Uint8Array(1 + HASH + key.length);
    bytes[0] = instructions.indexOf(instruction);
    bytes.set(hash, 1);
    bytes.set(key, 1 + HASH);
    return bytes;
  },
  decode: (bytes) => {
    const instruction = instructions[bytes[0] ?? -1];
    if (instruction === undefined || bytes.length < 1 + HASH) return notOurs('subscription');
    return right({ instruction, hash: bytes.slice(1, 1 + HASH), key: bytes.slice(1 + HASH) });
  },
};

export function answerWith<R>(row: Codec<R>): Codec<Answer<R>> {
  return {
    encode: (answer) => {
      const encoded = answer.missing ?? toBytes(row.encode(answer.row as R));
      const bytes = new Uint8Array(HASH + 1 + encoded.length);
      bytes.set(answer.hash);
      bytes[HASH] = answer.missing === undefined ? 1 : 0;
      bytes.set(encoded, HASH + 1);
      return bytes;
    },
    decode: (bytes) => {
      if (bytes.length < HASH + 1) return notOurs('answer');
      const hash = bytes.slice(0, HASH);
      if (bytes[HASH] === 0) return right({ hash, row: undefined, missing: bytes.slice(HASH + 1) });
      const decoded = row.decode(bytes.subarray(HASH + 1));
      return decoded._tag === 'Left' ? decoded : right({ hash, row: decoded.right, missing: undefined });
    },
  };
}

function notOurs(what: string): Either<Error, never> {
  return left(new MillraceError('DECODE', `these bytes are no ${what} of a join by foreign key`));
}
