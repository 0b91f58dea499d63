import { KafkaRecord } from '../../src';
import { noOrigin } from '../../src/model/origin';

/** Rows written one after another: the `number`th belongs to one of `keys` keys, and says which row it is. */
export interface RowsOptions {
  readonly from: number;
  readonly until: number;
  readonly keys: number;
}

const VALUE_BYTES = 60;
/** As many windows as a store of windows has open; keys are spread over them. */
export const WINDOWS = 4;
export const WINDOW_MS = 3_600_000;
/** A whole number of windows since the epoch. */
const BEGIN = 490_000 * WINDOW_MS;

/** Scattered over all keys, so that neither memory nor disk meets them in order (a multiplicative hash of 32 bits). */
export function keyNumber(number: number, keys: number): number {
  const mixed = Math.imul(number ^ (number >>> 15), 0x2c1b3c6d) >>> 0;
  return (Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39) >>> 0) % keys;
}

/** 16 characters. */
function keyText(key: number): string {
  return `account-${String(key).padStart(8, '0')}`;
}

/** 60 characters that begin with the number of the row. */
function valueText(number: number): string {
  const says = `${number} of account, balance ${(number * 7_919) % 1_000_003}.`;
  return says.padEnd(VALUE_BYTES, 'x');
}

export function* rows({ from, until, keys }: RowsOptions): Iterable<KafkaRecord<string, string>> {
  for (let number = from; number < until; number++) {
    const key = keyNumber(number, keys);
    yield KafkaRecord.of<string, string>(keyText(key), valueText(number), BEGIN + (key % WINDOWS) * WINDOW_MS, noOrigin);
  }
}

/** What a store has to hold once all rows are in: the last row of each key. */
export class ExpectedRows {
  private readonly last: Int32Array;
  private readonly count: number;
  private readonly seen: Uint8Array;
  private found = 0;

  constructor(rows: number, keys: number) {
    this.last = new Int32Array(keys).fill(-1);
    this.seen = new Uint8Array(keys);
    for (let number = 0; number < rows; number++) this.last[keyNumber(number, keys)] = number;
    this.count = this.last.reduce((count, number) => (number >= 0 ? count + 1 : count), 0);
  }

  /** One row of the store. @throws if it is not the last of its key, or was met before */
  check(key: string, value: string): void {
    const place = Number(key.slice('account-'.length));
    const expected = this.last[place] ?? -1;
    if (expected < 0 || this.seen[place] === 1 || keyText(place) !== key || valueText(expected) !== value) {
      throw new Error(`the store has "${key}": "${value}", and the last row of that key is number ${expected}`);
    }
    this.seen[place] = 1;
    this.found++;
  }

  /** Gives the number of rows. @throws if some were not met */
  end(): number {
    if (this.found !== this.count) throw new Error(`the store has ${this.found} rows instead of ${this.count}`);
    return this.found;
  }
}
