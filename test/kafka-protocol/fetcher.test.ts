import { BatchReader } from '../../src/kafka/batch-decode';
import { ClusterView } from '../../src/kafka/cluster-view';
import { Fetcher, type FetcherOptions } from '../../src/kafka/fetcher';
import type { FetchedChunk, PartitionProgress, PartitionSink } from '../../src/kafka/partition-sink';
import type { FetchRequest } from '../../src/kafka/port';
import { readBatchHeader } from '../../src/kafka/record-batch';
import { silentLogger } from '../../src/model/logger';
import { MovingLeaders } from './moving-leaders';
import { Simulated } from './simulated';
import { LogWriter } from './written-log';

/** Keeps what it is given, decoded. */
class Kept implements PartitionSink {
  readonly chunks: FetchedChunk[] = [];
  readonly values: string[] = [];
  readonly events: string[] = [];
  last: PartitionProgress | undefined;
  onChunk: () => void = () => undefined;
  readonly #reader = new BatchReader({ topic: 'input', partition: 0 });

  chunk(chunk: FetchedChunk): void {
    this.last = chunk;
    this.chunks.push(chunk);
    this.#reader.reset(chunk.records, { aborted: chunk.aborted, from: chunk.from, readCommitted: true });
    while (this.#reader.nextRecord()) {
      this.values.push(this.#reader.buffer.toString('utf8', this.#reader.valueStart, this.#reader.valueEnd));
    }
    expect(this.#reader.nextOffset).toBe(chunk.next);
    this.onChunk();
  }

  progress(progress: PartitionProgress): void {
    this.last = progress;
  }

  outOfRange({ requested, logStart, logEnd }: { requested: number; logStart: number; logEnd: number }): void {
    this.events.push(`${requested} is not in ${logStart}..${logEnd}`);
  }

  failed(error: Error): void {
    this.events.push(error.message);
  }
}

let world: Simulated;
let writer: LogWriter;
let fetcher: Fetcher;
let sink: Kept;

function fetcherOver(options: Partial<FetcherOptions> = {}): Fetcher {
  const { port, view, clock } = world;
  return new Fetcher({ port, view, clock, logger: silentLogger, lane: 'input', readCommitted: true, ...options });
}

beforeEach(() => {
  world = new Simulated();
  world.broker.createTopic('input', 4);
  writer = new LogWriter(world, 'writer');
  fetcher = fetcherOver();
  sink = new Kept();
});

afterEach(() => {
  fetcher.close();
  world.close();
});

const add = (partition: number, offset: number, to: PartitionSink = sink): void =>
  fetcher.add({ topic: 'input', partition, offset, sink: to });
const fetches = (): FetchRequest[] => world.heard.filter(({ api }) => api === 'fetch').map(({ request }) => request as FetchRequest);

describe('a fetched partition', () => {
  it('gives its records in order, and positions that count markers', async () => {
    await writer.committed('input', 0, 'a', 'b');
    await writer.committed('input', 0, 'c');
    add(0, 0);
    await world.until(() => sink.last?.next === 5);
    expect(sink.values).toEqual(['a', 'b', 'c']);
    expect(sink.last).toMatchObject({ highWatermark: 5, lastStableOffset: 5, logStartOffset: 0 });
  });

  it('begins at its offset, also in the middle of a batch', async () => {
    await writer.committed('input', 0, 'a', 'b', 'c');
    add(0, 1);
    await world.until(() => sink.values.length > 0);
    expect(sink.values).toEqual(['b', 'c']);
    expect(sink.chunks[0]).toMatchObject({ from: 1, next: 4 });
  });

  it('K8: leaves out what was aborted, and stops at what is open', async () => {
    await writer.write('input', 0, 'aborted');
    await writer.end(false);
    await writer.committed('input', 0, 'kept');
    await new LogWriter(world, 'open').write('input', 0, 'open');
    add(0, 0);
    await world.until(() => sink.values.length > 0);
    await world.clock.advance(1_000);
    expect(sink.values).toEqual(['kept']);
    expect(sink.last).toMatchObject({ next: 4, lastStableOffset: 4, highWatermark: 5 });
  });

  it('W1: tells how far the log goes also when there is nothing new', async () => {
    add(0, 0);
    await world.until(() => sink.last !== undefined);
    expect(sink.last).toEqual({ next: 0, highWatermark: 0, lastStableOffset: 0, logStartOffset: 0 });
    expect(sink.chunks).toEqual([]);
  });

  it('is delivered soon after it was written: the fetch is already waiting', async () => {
    add(0, 0);
    await world.clock.advance(2_000);
    await writer.write('input', 0, 'a');
    await writer.end(true);
    await world.clock.advance(20);
    expect(sink.values).toEqual(['a']);
  });

  it('gives a batch larger than every limit whole', async () => {
    fetcher = fetcherOver({ maxBytesPerPartition: 100, maxBytes: 200 });
    await writer.committed('input', 0, 'small');
    await writer.committed('input', 0, 'x'.repeat(50_000));
    await writer.committed('input', 1, 'y'.repeat(50_000));
    const other = new Kept();
    add(0, 0);
    add(1, 0, other);
    await world.until(() => sink.values.length === 2 && other.values.length === 1, 10_000);
    expect(sink.values[1]).toHaveLength(50_000);
  });

  it('waits out a quota: an answer without any partition is none', async () => {
    await writer.committed('input', 0, 'a');
    const { fetch } = world.port;
    let throttled = 0;
    world.port.fetch = (node, request, lane) =>
      throttled++ < 3 ? Promise.resolve({ errorCode: 0, partitions: [] }) : fetch.call(world.port, node, request, lane);
    add(0, 0);
    await world.until(() => sink.last?.next === 2);
    expect(sink.values).toEqual(['a']);
    expect(sink.events).toEqual([]);
    expect(throttled).toBeGreaterThan(3);
  });

  it('K11: passes what compaction has left out, batch by batch and at the end', async () => {
    world.broker.createTopic('compacted', 1, { 'cleanup.policy': 'compact' });
    const keyed = (key: string, value: string): Promise<unknown> => writer.keyed('compacted', key, value);
    for (const value of ['1', '2', '3']) await keyed('a', value);
    await keyed('b', '1');
    await writer.keyed('compacted', 'b', 'aborted', false);
    await keyed('z', '');
    world.broker.roll('compacted');
    world.broker.compact('compacted');
    const left = world.broker.partition({ topic: 'compacted', partition: 0 })!.batches.map((batch) => readBatchHeader(batch).baseOffset);
    expect(left).toEqual([1, 3, 4, 5, 6, 7, 9, 10, 11]);
    fetcher.add({ topic: 'compacted', partition: 0, offset: 0, sink });
    await world.until(() => sink.last?.next === 12);
    expect(sink.values).toEqual(['3', '1', '']);
    fetcher.add({ topic: 'compacted', partition: 0, offset: 2, sink });
    await world.until(() => sink.chunks.at(-1)?.from === 2);
    expect(sink.chunks.at(-1)).toMatchObject({ from: 2, next: 11 });
    await world.until(() => sink.last?.next === 12);
  });

  it('never asks for more than 4 MiB at once, nor for longer than 500 ms', async () => {
    fetcher = fetcherOver({ maxBytes: 1 << 30, maxWaitMs: 60_000 });
    add(0, 0);
    await world.until(() => world.count('fetch') > 0);
    expect(fetches()[0]).toMatchObject({ maxBytes: 4 << 20, maxWaitMs: 500, readCommitted: true });
  });

  it('K12: outside the log is reported with where the log is, and fetched no more', async () => {
    await writer.committed('input', 0, 'a', 'b', 'c');
    const node = await world.settle(world.view.leaderOf('input', 0));
    await world.settle(world.port.deleteRecords(node, { partitions: [{ topic: 'input', partition: 0, offset: 2 }], timeoutMs: 1_000 }));
    add(0, 0);
    await world.until(() => sink.events.length > 0);
    expect(sink.events).toEqual(['0 is not in 2..4']);
    const fetched = world.count('fetch');
    await world.clock.advance(5_000);
    expect(world.count('fetch')).toBe(fetched);
    expect(world.committedOffset()).toBeUndefined();
    add(0, 2);
    await world.until(() => sink.values.length > 0);
    expect(sink.values).toEqual(['c']);
  });

  it('behind the end of the log is out of range as well', async () => {
    add(0, 17);
    await world.until(() => sink.events.length > 0);
    expect(sink.events).toEqual(['17 is not in 0..0']);
  });

  it('out of range for a moment, as a new leader may say, goes on', async () => {
    await writer.committed('input', 0, 'a');
    add(0, 0);
    await world.until(() => sink.values.length === 1);
    world.broker.faults.add({ match: ({ api }) => api === 'fetch', action: { kind: 'answer', errorCode: 1 }, times: 2 });
    await world.clock.advance(2_000);
    await writer.committed('input', 0, 'b');
    await world.until(() => sink.values.length === 2);
    expect(sink.events).toEqual([]);
  });

  it('that may not be read fails with what to do', async () => {
    world.answer('fetch', 29);
    add(0, 5);
    await world.until(() => sink.events.length > 0);
    expect(sink.events[0]).toMatch(/input-0 cannot be read from offset 5: TOPIC_AUTHORIZATION_FAILED \(29\)\. Allow/);
  });
});

describe('several partitions', () => {
  it('of one broker share a request, and one request is under way at a time', async () => {
    let underWay = 0;
    const seen: number[] = [];
    const { fetch } = world.port;
    world.port.fetch = async (...args) => {
      seen.push(++underWay);
      return fetch.call(world.port, ...args).finally(() => underWay--);
    };
    for (let p = 0; p < 4; p++) add(p, 0, new Kept());
    await world.clock.advance(5_000);
    expect(Math.max(...seen)).toBe(1);
    expect(fetches().at(-1)!.partitions).toHaveLength(4);
  });

  it('the next request leaves as soon as an answer is there, before its records are worked on', async () => {
    for (let i = 0; i < 20; i++) await writer.committed('input', 0, 'x'.repeat(1_000));
    fetcher = fetcherOver({ maxBytesPerPartition: 5_000 });
    const asked: number[] = [];
    const { fetch } = world.port;
    world.port.fetch = (node, request, lane) => {
      asked.push(request.partitions[0]!.offset);
      return fetch.call(world.port, node, request, lane);
    };
    const order: string[] = [];
    sink.onChunk = () => {
      order.push(`chunk ${sink.chunks.at(-1)!.next}`);
      queueMicrotask(() => queueMicrotask(() => order.push(`asked ${asked.at(-1)}`)));
    };
    add(0, 0);
    await world.until(() => sink.values.length === 20);
    await world.clock.settle();
    expect(order.length).toBeGreaterThan(4);
    for (let i = 0; i + 1 < order.length; i += 2) expect(order[i + 1]).toBe(order[i]!.replace('chunk', 'asked'));
  });

  it('R15: a paused one holds up no neighbour', async () => {
    const other = new Kept();
    add(0, 0);
    add(1, 0, other);
    await world.clock.advance(100);
    fetcher.pause('input', 0);
    await world.clock.advance(1_000);
    for (const value of ['a', 'b', 'c']) {
      await writer.committed('input', 0, value);
      await writer.committed('input', 1, value);
      await world.clock.advance(150);
    }
    expect(other.values).toEqual(['a', 'b', 'c']);
    expect(sink.values).toEqual([]);
  });

  it('one that always has data does not starve the others of a small answer', async () => {
    for (let i = 0; i < 50; i++) await writer.write('input', 0, 'x'.repeat(2_000));
    await writer.end(true);
    await writer.committed('input', 1, 'at last');
    fetcher = fetcherOver({ maxBytesPerPartition: 2_000, maxBytes: 2_000 });
    const other = new Kept();
    add(0, 0);
    add(1, 0, other);
    let before = Infinity;
    other.onChunk = () => (before = Math.min(before, sink.values.length));
    await world.until(() => sink.values.length === 50);
    expect(other.values).toEqual(['at last']);
    expect(before).toBeLessThan(5);
  });

  it('K17: a deleted one fails alone', async () => {
    world.broker.createTopic('doomed', 1);
    const doomed = new Kept();
    fetcher.add({ topic: 'doomed', partition: 0, offset: 0, sink: doomed });
    add(0, 0);
    await world.clock.advance(1_000);
    await world.settle(world.port.deleteTopics(['doomed'], 1_000));
    await writer.committed('input', 0, 'a');
    await world.until(() => doomed.events.length > 0);
    expect(doomed.events[0]).toMatch(/UNKNOWN_TOPIC.*doomed/);
    await writer.committed('input', 0, 'b');
    await world.clock.advance(1_000);
    expect(sink.values).toEqual(['a', 'b']);
    expect(sink.events).toEqual([]);
  });
});

describe('pausing', () => {
  it('an answer on its way is kept and delivered, and not fetched twice', async () => {
    await writer.committed('input', 0, 'a');
    world.broker.faults.add({ match: ({ api }) => api === 'fetch', action: { kind: 'delay', ms: 50 } });
    add(0, 0);
    await world.until(() => world.count('fetch') > 0);
    fetcher.pause('input', 0);
    await world.clock.advance(2_000);
    expect(sink.values).toEqual(['a']);
    fetcher.resume('input', 0);
    await writer.committed('input', 0, 'b');
    await world.clock.advance(1_000);
    expect(sink.values).toEqual(['a', 'b']);
  });

  it('R5 R6: stays until it is resumed, whatever becomes of the others; resuming fetches at once', async () => {
    add(0, 0);
    fetcher.pause('input', 0);
    await world.clock.advance(1_000);
    add(1, 0, new Kept());
    fetcher.resume('input', 1);
    await writer.committed('input', 0, 'a');
    await world.clock.advance(5_000);
    expect(sink.values).toEqual([]);
    fetcher.remove('input', 1);
    await world.clock.advance(1_000);
    fetcher.resume('input', 0);
    await world.clock.settle();
    expect(sink.values).toEqual(['a']);
  });

  it('with a neighbour waiting for data, the resumed one waits at most 100 ms', async () => {
    add(0, 0);
    add(1, 0, new Kept());
    fetcher.pause('input', 0);
    await writer.committed('input', 0, 'a');
    await world.clock.advance(3_000);
    const before = world.clock.monotonic();
    fetcher.resume('input', 0);
    await world.until(() => sink.values.length > 0);
    expect(world.clock.monotonic() - before).toBeLessThanOrEqual(100);
  });

  it('K18: everything paused, nothing is asked and no timer runs', async () => {
    add(0, 0);
    await world.clock.advance(1_000);
    fetcher.pause('input', 0);
    await world.clock.advance(1_000);
    world.heard.length = 0;
    expect(world.clock.waiting()).toMatchObject({ immediates: 0 });
    await world.clock.advance(60_000);
    expect(world.apis()).toEqual([]);
  });

  it('K18: idle, it asks about twice a second', async () => {
    add(0, 0);
    await world.clock.advance(1_000);
    world.heard.length = 0;
    await world.clock.advance(60_000);
    expect(world.heard.length).toBeLessThanOrEqual(121);
    expect(world.heard.length).toBeGreaterThan(100);
  });
});

describe('removing', () => {
  it('R4: an answer on its way is dropped', async () => {
    await writer.committed('input', 0, 'a');
    world.broker.faults.add({ match: ({ api }) => api === 'fetch', action: { kind: 'delay', ms: 50 } });
    add(0, 0);
    await world.until(() => world.count('fetch') > 0);
    fetcher.remove('input', 0);
    await world.clock.advance(2_000);
    expect(sink.values).toEqual([]);
    expect(sink.last).toBeUndefined();
  });

  it('R9: added again at another offset, it never sees a record of the old answer, even while it is under way', async () => {
    await writer.committed('input', 0, 'a', 'b', 'c');
    world.broker.faults.add({ match: ({ api }) => api === 'fetch', action: { kind: 'delay', ms: 50 } });
    add(0, 0);
    await world.until(() => world.count('fetch') > 0);
    const again = new Kept();
    add(0, 2, again);
    await world.clock.advance(2_000);
    expect(sink.values).toEqual([]);
    expect(again.values).toEqual(['c']);
    expect(again.chunks[0]!.from).toBe(2);
  });

  it('R16: one partition leaves the others undisturbed', async () => {
    const other = new Kept();
    add(0, 0);
    add(1, 0, other);
    await world.clock.advance(700);
    fetcher.remove('input', 0);
    await writer.committed('input', 1, 'a');
    await world.clock.advance(600);
    expect(other.values).toEqual(['a']);
    expect(other.chunks).toHaveLength(1);
  });
});

describe('given brokers in trouble', () => {
  let cluster: MovingLeaders;

  beforeEach(() => {
    cluster = new MovingLeaders(world.port);
    const view = new ClusterView({ port: cluster.port, clock: world.clock, logger: silentLogger });
    fetcher = fetcherOver({ port: cluster.port, view });
  });

  it('K1: a moved leader is noticed by its epoch although the old one would answer; nothing is lost or repeated', async () => {
    await writer.committed('input', 0, 'a');
    add(0, 0);
    await world.until(() => sink.values.length === 1);
    cluster.move('input', 0, 2);
    await writer.committed('input', 0, 'b');
    await world.until(() => sink.values.length === 2, 2_000);
    const nodes: number[] = [];
    const { fetch } = cluster.port;
    cluster.port.fetch = (node, request, lane) => {
      nodes.push(node);
      expect(request.partitions[0]!.leaderEpoch).toBe(1);
      return fetch(node, request, lane);
    };
    await writer.committed('input', 0, 'c');
    await world.until(() => sink.values.length === 3, 2_000);
    expect(new Set(nodes)).toEqual(new Set([2]));
    expect(sink.values).toEqual(['a', 'b', 'c']);
    expect(sink.events).toEqual([]);
  });

  it('a dead leader that metadata goes on naming for nine seconds is waited for', async () => {
    add(0, 0);
    await world.clock.advance(1_000);
    cluster.dead.add(1);
    cluster.move('input', 0, 3, 'lags');
    await world.clock.advance(9_000);
    expect(sink.events).toEqual([]);
    cluster.show();
    await writer.committed('input', 0, 'a');
    await world.until(() => sink.values.length === 1, 2_000);
  });

  it('brokers that stay dead fail the partition after the stated time, saying where it stood', async () => {
    await writer.committed('input', 0, 'a');
    add(0, 0);
    await world.until(() => sink.values.length === 1);
    cluster.dead.add(1);
    const before = world.clock.monotonic();
    await world.until(() => sink.events.length > 0);
    expect(world.clock.monotonic() - before).toBeGreaterThan(29_000);
    expect(world.clock.monotonic() - before).toBeLessThan(32_000);
    expect(sink.events[0]).toMatch(/BROKERS_UNREACHABLE: Gave up waiting for .*input-0.*broker 1 is dead/);
  });

  it.each([3, 5, 6, 9, 56, 74, 75, 78])('K13: code %i a hundred times with successes between does not end the reader', async (code) => {
    add(0, 0);
    for (let i = 0; i < 100; i++) {
      world.answer('fetch', code);
      await writer.committed('input', 0, `${i}`);
      await world.until(() => sink.values.length === i + 1, 5_000);
    }
    expect(sink.values).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
    expect(sink.events).toEqual([]);
  });

  it('lost answers and timeouts repeat the fetch from the same position', async () => {
    await writer.committed('input', 0, 'a', 'b');
    world.loseAnswer('fetch', 'disconnect', 3);
    add(0, 0);
    await world.until(() => sink.values.length === 2);
    world.loseAnswer('fetch', 'hang');
    await writer.committed('input', 0, 'c');
    await world.until(() => sink.values.length === 3);
    expect(sink.values).toEqual(['a', 'b', 'c']);
  });
});
