import * as fc from 'fast-check';
import { BatchReader } from '../../src/kafka/batch-decode';
import { BatchBuilder, stamp } from '../../src/kafka/batch-encode';
import { Partition } from '../../src/memory/partition';
import { TopicConfig } from '../../src/memory/topic-config';

const RETENTION_MS = 100;
/** More with PROPERTY_RUNS. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 300);

/** 0 writes outside transactions. */
type Producer = 0 | 1 | 2;

interface Row {
  readonly key: string;
  /** False: a tombstone. */
  readonly live: boolean;
}

type Event =
  | { readonly type: 'write'; readonly producer: Producer; readonly rows: readonly Row[]; readonly gzip: boolean }
  | { readonly type: 'end'; readonly producer: Producer; readonly commit: boolean }
  | { readonly type: 'pass'; readonly ms: number }
  | { readonly type: 'roll' | 'compact' | 'follow' };

const row = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), live: fc.boolean() });
const producer = fc.constantFrom<Producer>(0, 1, 2);
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('write' as const),
      producer,
      rows: fc.array(row, { minLength: 1, maxLength: 4 }),
      gzip: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('end' as const), producer, commit: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('roll' as const, 'compact' as const, 'follow' as const) }) },
);

interface Written {
  readonly offset: number;
  readonly key: string;
  readonly value: string | null;
  readonly timestamp: number;
}

/** Keeps the table of what it has read, and goes on where it stopped. */
class Follower {
  readonly table = new Map<string, string>();
  position = 0;

  constructor(private readonly partition: Partition) {}

  /** In fetches of one batch each, up to the last stable offset. Gives the records it found. */
  follow(): Written[] {
    const reader = new BatchReader({ topic: 't', partition: 0 });
    const found: Written[] = [];
    for (;;) {
      const request = { topic: 't', partition: 0, offset: this.position, maxBytes: 1, leaderEpoch: -1 };
      const { errorCode, records, aborted } = this.partition.fetch(request, true, 1, true);
      expect(errorCode).toBe(0);
      reader.reset(records, { aborted, from: this.position, readCommitted: true });
      while (reader.nextRecord()) found.push(this.#take(reader));
      if (reader.nextOffset === this.position) break;
      this.position = reader.nextOffset;
    }
    expect(this.position).toBe(this.partition.lastStableOffset);
    return found;
  }

  #take({ buffer, offset, timestamp, keyStart, keyEnd, valueStart, valueEnd }: BatchReader): Written {
    const key = buffer.toString('utf8', keyStart, keyEnd);
    const value = valueStart < 0 ? null : buffer.toString('utf8', valueStart, valueEnd);
    if (value === null) this.table.delete(key);
    else this.table.set(key, value);
    return { offset, key, value, timestamp };
  }
}

/** A compacted partition, and what was written to it, kept in the simplest way. */
class World {
  readonly partition: Partition;
  readonly follower: Follower;
  now = 1_000_000;
  #followedAt = this.now;
  /** By producer: what is open. */
  readonly #open = new Map<Producer, Written[]>();
  readonly #sequences = new Map<Producer, number>();
  #decided: Written[] = [];

  constructor() {
    const config = new TopicConfig({ 'cleanup.policy': 'compact', 'delete.retention.ms': String(RETENTION_MS) });
    this.partition = new Partition('t', 0, 1, config.partitionSettings(false));
    this.follower = new Follower(this.partition);
  }

  do(next: Event): void {
    if (next.type === 'write') this.#write(next.producer, next.rows, next.gzip);
    else if (next.type === 'end') this.#end(next.producer, next.commit);
    else if (next.type === 'pass') this.#pass(next.ms);
    else if (next.type === 'roll') this.partition.log.roll();
    else if (next.type === 'compact') this.#compact();
    else this.#follow();
  }

  /** What a table of all committed records below the last stable offset holds. */
  expected(): Map<string, string> {
    const table = new Map<string, string>();
    for (const { key, value } of this.committed()) {
      if (value === null) table.delete(key);
      else table.set(key, value);
    }
    return table;
  }

  committed(): Written[] {
    const stable = this.partition.lastStableOffset;
    return this.#decided.filter(({ offset }) => offset < stable).sort((a, b) => a.offset - b.offset);
  }

  #write(name: Producer, rows: readonly Row[], gzip: boolean): void {
    const builder = new BatchBuilder();
    const base = this.partition.highWatermark;
    const written = rows.map(({ key, live }, i): Written => {
      // Long enough that gzip is worth its while.
      const value = live ? `${base + i}`.padEnd(gzip ? 200 : 1, '.') : null;
      const timestamp = this.now - ((base + i) % 3);
      builder.append(timestamp, key, value);
      return { offset: base + i, key, value, timestamp };
    });
    const batch = builder.finish({ compression: gzip ? 'gzip' : 'none', transactional: name !== 0 });
    const sequence = this.#sequences.get(name) ?? 0;
    if (name !== 0) stamp(batch, BigInt(name), 0, sequence);
    else stamp(batch, -1n, -1, -1);
    // Also to a producer whose last batch compaction may have emptied.
    expect(this.partition.append(Buffer.from(batch.bytes), this.now)).toEqual({ baseOffset: base });
    this.#sequences.set(name, sequence + rows.length);
    if (name === 0) this.#decided.push(...written);
    else this.#open.set(name, [...(this.#open.get(name) ?? []), ...written]);
  }

  #end(name: Producer, commit: boolean): void {
    const open = this.#open.get(name);
    if (open === undefined) return;
    this.partition.mark({ producerId: BigInt(name), producerEpoch: 0, commit }, this.now);
    this.#open.delete(name);
    if (commit) this.#decided = [...this.#decided, ...open];
  }

  /** Nobody who follows stays away for as long as tombstones are kept. */
  #pass(ms: number): void {
    if (this.now + ms - this.#followedAt >= RETENTION_MS) this.#follow();
    this.now += ms;
  }

  #follow(): void {
    this.#followedAt = this.now;
    this.follower.follow();
    expect(this.follower.table).toEqual(this.expected());
  }

  #compact(): void {
    const { highWatermark, lastStableOffset } = this.partition;
    this.partition.compact(this.now);
    expect(this.partition).toMatchObject({ highWatermark, lastStableOffset });
    const another = new Follower(this.partition);
    const found = another.follow();
    expect(another.table).toEqual(this.expected());
    const committed = new Map(this.committed().map((each) => [each.offset, each]));
    for (const each of found) expect(each).toEqual(committed.get(each.offset));
    expect(unique(found.filter(({ offset }) => offset < this.partition.log.cleanedTo))).toBe(true);
  }
}

function unique(records: readonly Written[]): boolean {
  return new Set(records.map(({ key }) => key)).size === records.length;
}

describe('compaction, whenever it comes', () => {
  it('changes no table: for who reads anew, and for who stays away for less than delete.retention.ms', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const world = new World();
        for (const next of events) world.do(next);
        for (const name of [1, 2] as const) world.do({ type: 'end', producer: name, commit: true });
        for (const type of ['roll', 'compact', 'follow'] as const) world.do({ type });
        expect(world.follower.position).toBe(world.partition.highWatermark);
      }),
      { numRuns: RUNS },
    );
  });

  it('leaves, once all is decided, one record a key, and in the end no tombstones and no markers but the last', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const world = new World();
        for (const next of events) world.do(next);
        for (const name of [1, 2] as const) world.do({ type: 'end', producer: name, commit: false });
        // Three passes, each with something new: what was aborted goes, then its markers are seen to end nothing, then they go.
        for (let pass = 0; pass < 4; pass++) {
          world.do({ type: 'write', producer: 0, rows: [{ key: 'z', live: true }], gzip: false });
          for (const type of ['roll', 'compact', 'follow'] as const) world.do({ type });
          world.do({ type: 'pass', ms: RETENTION_MS });
        }
        const found = new Follower(world.partition).follow();
        expect(found.filter(({ value }) => value === null)).toEqual([]);
        const { cleanedTo } = world.partition.log;
        expect(unique(found.filter(({ offset }) => offset < cleanedTo))).toBe(true);
        // Of each producer one batch may have had to stay, empty, with its marker; a record that stays keeps the marker that committed it.
        const { length } = world.partition.log.batches;
        expect(length).toBeLessThanOrEqual(2 * found.length + 2 * 2);
      }),
      { numRuns: RUNS },
    );
  });
});
