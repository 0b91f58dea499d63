/** Stands in a version's place of a value: there is none. */
export const absent: unique symbol = Symbol('millrace.absent');

/** What one layer says of a key: a value, or that there is none (a tombstone). Immutable. */
export class Version<A> {
  readonly value: A | typeof absent;
  readonly timestamp: number;

  constructor(value: A | typeof absent, timestamp: number) {
    this.value = value;
    this.timestamp = timestamp;
  }
}

/** A key of which it is known that there is no value. */
export const nothing: Version<never> = new Version<never>(absent, -1);
