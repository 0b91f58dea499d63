import { codePointRank } from '../codec/identity';

/** What has an identity, as codec/identity gives it. */
export interface Identified {
  readonly identity: string;
}

/** How many units a number holds, each as one digit: 0 where the identity has ended. */
interface Digits {
  readonly count: number;
  readonly base: number;
  /** The greatest unit that fits. */
  readonly greatest: number;
  readonly rank: (unit: number) => number;
}

/** Six bytes are below 2^53: bytes as latin1, and texts that have no wider units there. */
const narrow: Digits = { count: 6, base: 257, greatest: 0xff, rank: (unit) => unit };
const wide: Digits = { count: 3, base: 2 ** 17, greatest: 0xffff, rank: codePointRank };

/**
 * A number for each identity that orders them as their bytes do, as far as it goes: by what follows the beginning that all have in
 * common. Of two that are equal nothing is said. Comparing two numbers costs a fraction of comparing two texts.
 */
export function leadingNumbers(items: readonly Identified[]): Float64Array {
  const numbers = new Float64Array(items.length);
  const from = commonLength(items);
  if (!fill(numbers, items, from, narrow)) fill(numbers, items, from, wide);
  return numbers;
}

/** False: a unit does not fit. */
function fill(numbers: Float64Array, items: readonly Identified[], from: number, { count, base, greatest, rank }: Digits): boolean {
  for (let i = 0; i < items.length; i++) {
    const { identity } = items[i]!;
    let number = 0;
    for (let at = from; at < from + count; at++) {
      let digit = 0;
      if (at < identity.length) {
        const unit = identity.charCodeAt(at);
        if (unit > greatest) return false;
        digit = rank(unit) + 1;
      }
      number = number * base + digit;
    }
    numbers[i] = number;
  }
  return true;
}

function commonLength(items: readonly Identified[]): number {
  const first = items[0]?.identity ?? '';
  let length = first.length;
  for (const { identity } of items) {
    if (identity.length < length) length = identity.length;
    let at = 0;
    while (at < length && identity.charCodeAt(at) === first.charCodeAt(at)) at++;
    length = at;
    if (length === 0) return 0;
  }
  return length;
}
