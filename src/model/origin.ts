/**
 * Where a record came from: the input record whose push it belongs to. Every record derived inside that push keeps it,
 * so that an output can be traced to (and checked against) the record being pushed.
 */
export interface Origin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Parsed on first use. Of two headers with one name the last is kept. */
  readonly headers: ReadonlyMap<string, Uint8Array>;
  /** Raw bytes as fetched, copied on call; null for Kafka's null. */
  rawKey(): Uint8Array | null;
  rawValue(): Uint8Array | null;
}

/** The origin of records that no broker delivered: tests, loaders. */
export const noOrigin: Origin = {
  topic: '',
  partition: -1,
  offset: -1,
  headers: new Map(),
  rawKey: () => null,
  rawValue: () => null,
};

/** The same origin for a result that carries no headers of its record. */
export function withoutHeaders(origin: Origin): Origin {
  return origin === noOrigin ? noOrigin : new WithOtherHeaders(origin, noOrigin.headers);
}

/** The same origin for a result that carries headers of its own. */
export function withHeaders(origin: Origin, headers: ReadonlyMap<string, Uint8Array>): Origin {
  return headers.size === 0 ? withoutHeaders(origin) : new WithOtherHeaders(origin, headers);
}

/** What `withoutHeaders` or `withHeaders` was given; any other origin is its own. */
export function sourceOf(origin: Origin): Origin {
  return origin instanceof WithOtherHeaders ? origin.source : origin;
}

class WithOtherHeaders implements Origin {
  constructor(
    readonly source: Origin,
    readonly headers: ReadonlyMap<string, Uint8Array>,
  ) {}

  get topic(): string {
    return this.source.topic;
  }

  get partition(): number {
    return this.source.partition;
  }

  get offset(): number {
    return this.source.offset;
  }

  rawKey(): Uint8Array | null {
    return this.source.rawKey();
  }

  rawValue(): Uint8Array | null {
    return this.source.rawValue();
  }
}
