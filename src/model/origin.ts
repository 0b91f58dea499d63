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
