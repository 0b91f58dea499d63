import { inspect } from 'node:util';
import { take, tap } from 'rxjs';
import { to } from '../../operators';
import { BatchReader } from '../../src/kafka/batch-decode';
import type { MetricName, Metrics } from '../../src/model/metrics';
import type { Topology } from '../../src/task/topology';
import { type CrashPoint, diagram, inputRow, outgoing, record, records, testCluster, type TestClusterOptions } from '../../src/testing';
import { SimulatedCluster } from '../../src/testing/cluster/cluster-run';
import { errorWith } from '../operators/errors';
import { copies, copying, counting, countingValues, countingWindows, input, keysOf, results, windowResults } from './programs';

const points: readonly CrashPoint[] = [
  'before produce',
  'between produce and EndTxn',
  'before the answer to EndTxn',
  'between EndTxn and the local write',
  'during the local write',
];

const counts = (run: { committed: (topic: typeof results) => { readonly value: number }[] }) =>
  run.committed(results).map(({ value }) => value);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

class Totals implements Metrics {
  private readonly totals = new Map<MetricName, number>();
  add(name: MetricName, amount: number): void {
    this.totals.set(name, this.of(name) + amount);
  }
  of(name: MetricName): number {
    return this.totals.get(name) ?? 0;
  }
}

describe('testCluster: a diagram of instances', () => {
  it('shows what a read_committed consumer sees, and when', async () => {
    const run = await testCluster({
      topology: counting,
      instances: { a: '  ^--------' },
      input: [inputRow(input, 'a--b---a-', { a: record('a', '', 1), b: record('b', '', 2) })],
    });
    expect(run.committed(results)).toEqual([outgoing(results, 'a', 1, 1), outgoing(results, 'b', 1, 2), outgoing(results, 'a', 2, 1)]);
    run.expectCommitted(results).toBe(' x--y---z-', {
      x: outgoing(results, 'a', 1, 1),
      y: outgoing(results, 'b', 1, 2),
      z: outgoing(results, 'a', 2, 1),
    });
    expect(run.seen(results).map(({ frame }) => frame)).toEqual([0, 3, 7]);
  });

  it('takes rows of records with event time', async () => {
    const run = await testCluster({
      topology: countingWindows,
      partitions: 2,
      instances: { a: '               ^-----------x---^-----' },
      input: [inputRow(input, ...diagram('a5--a8--------------a12'))],
    });
    run.expectCommitted(windowResults).toBe(' --------------------w', {
      w: outgoing(windowResults, { key: 'a', start: 0, end: 10 }, 2, 8),
    });
  });

  it('takes times between frames, as RxJS does', async () => {
    const run = await testCluster({
      topology: counting,
      instances: { a: '   ^ 1m ---' },
      input: [inputRow(input, 'r 59s r 500ms -', { r: record('a', '', 1) })],
      frame: 500,
    });
    run.expectCommitted(results).toBe(' a 59s b', { a: outgoing(results, 'a', 1, 1), b: outgoing(results, 'a', 2, 1) });
    expect(run.seen(results).map(({ frame }) => frame)).toEqual([0, 119]);
    await expect(testCluster({ topology: counting, instances: {}, frame: 0 })).rejects.toThrow(errorWith({ code: 'CONFIG' }));
  });

  it('lets the group miss who has died, and another take over', async () => {
    const run = await testCluster({
      topology: counting,
      partitions: 2,
      instances: {
        a: '                  ^---x------------------',
        b: '                  --^--------------------',
      },
      input: [inputRow(input, 'r----r------------r----', { r: [0, 1].map((partition) => record(keysOf(partition, 2)[0]!, '', 1)) })],
    });
    const frames = run.seen(results).map(({ frame }) => frame);
    expect(frames.slice(0, 2)).toEqual([0, 0]);
    // b's own partition goes on; a's waits for the session timeout, 6 frames after a's last heartbeat.
    expect(frames[2]).toBe(5);
    expect(frames[3]).toBeGreaterThanOrEqual(9);
    expect(frames[3]).toBeLessThanOrEqual(11);
    expect(frames.slice(4)).toEqual([18, 18]);
    expect(run.instances['a']).toMatchObject({ starts: [0], crashes: [{ frame: 4, point: 'anywhere' }] });
  });

  it('hands over at once when an instance is closed', async () => {
    const run = await testCluster({
      topology: counting,
      partitions: 2,
      instances: {
        a: '                  ^---!----',
        b: '                  --^------',
      },
      input: [inputRow(input, 'r----r---', { r: [0, 1].map((partition) => record(keysOf(partition, 2)[0]!, '', 1)) })],
    });
    expect(run.seen(results).map(({ frame }) => frame)).toEqual([0, 0, 5, 5]);
    expect(run.instances['a']!.crashes).toEqual([]);
  });

  it('shows what can be read when nobody is left', async () => {
    const run = await testCluster({
      topology: counting,
      instances: { a: '  ^-x---' },
      input: [inputRow(input, 'r---r-', { r: record('a', '', 1) })],
    });
    expect(counts(run)).toEqual([1]);
  });

  it('gives the local state back to an instance that returns', async () => {
    const restored = async (instances: TestClusterOptions['instances']): Promise<number> => {
      const metrics = new Totals();
      const run = await testCluster({
        topology: counting,
        instances,
        // The second commit finds that the first, 6 s ago, is due for the disk.
        input: [inputRow(input, 'r-----r-------------r', { r: records('a1 b1 c1 d1 e1 f1') })],
        config: { metrics },
      });
      expect(run.committed(results)).toHaveLength(18);
      return metrics.of('restore-records-total');
    };
    expect(await restored({ a: '^--------x---------^' })).toBe(0);
    expect(await restored({ a: '^--------x----------', b: '-------------------^' })).toBe(12);
  });

  it('plays the same run with the same seed, request by request, and others with others', async () => {
    const played = async (seed: number): Promise<string[]> => {
      const options: TestClusterOptions = {
        topology: countingValues,
        partitions: 3,
        instances: { a: '^----p-------^--------', b: '--^----------------!--' },
        crashes: { p: 'between produce and EndTxn' },
        input: [inputRow(input, 'r-r-r-r-r-r-r-r-r-r-r-r', { r: records('a1=x b2=y c3=z d4=x') })],
      };
      const cluster = new SimulatedCluster(options, seed);
      const trace = requestsOf(cluster);
      await cluster.play();
      await cluster.end();
      const seen = cluster.seen(results).map(({ frame, output }) => `${String(frame)} ${inspect(output)}`);
      return [...trace, ...seen, JSON.stringify(cluster.instances)];
    };
    const [first, again, other] = [await played(1), await played(1), await played(2)];
    expect(first.length).toBeGreaterThan(1_000);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('runs with as many seeds as it is told', async () => {
    const seeds: number[] = [];
    await testCluster({ topology: copying(), instances: { a: '^' }, seed: 5, runs: 3 }, (run) => {
      seeds.push(run.seed);
    });
    expect(seeds).toEqual([5, 6, 7]);
  });
});

describe('testCluster: crashes within a commit', () => {
  const crashing = (topology: Topology, point: CrashPoint, more: Partial<TestClusterOptions> = {}): TestClusterOptions => ({
    topology,
    partitions: 2,
    instances: { a: '  ^---p------^---------', b: '  --^-------------------' },
    crashes: { p: point },
    input: [inputRow(input, 'r-r-r-r-r-r-r-r-r-r-', { r: records('a1=x b2=x c3=x') })],
    ...more,
  });

  it.each(points)('are survived with each output once: %s', async (point) => {
    await testCluster(crashing(countingValues, point, { runs: 3 }), (run) => {
      expect(run.instances['a']!.crashes.map((crash) => crash.point)).toEqual([point]);
      expect(counts(run)).toEqual(upTo(30));
    });
  });

  it.each(points)('are survived by an instance alone: %s', async (point) => {
    const run = await testCluster(crashing(counting, point, { instances: { a: '^---p-----^-----' } }));
    expect(counts(run).sort((a, b) => a - b)).toEqual(upTo(10).flatMap((n) => [n, n, n])); // prettier-ignore
  });

  it('leave records of the aborted transaction in the log, which no read_committed consumer sees', async () => {
    const alone = { partitions: 1, instances: { a: '^---p-----^-----' } };
    const cluster = new SimulatedCluster(crashing(counting, 'between produce and EndTxn', alone), 1);
    await cluster.play();
    const written = uncommittedToo(cluster, 0);
    await cluster.end();
    expect(written).toHaveLength(33);
    expect(new Set(written).size).toBe(30);
    expect(cluster.committed(results)).toHaveLength(30);
  });

  it('double what is outside the transaction, and nothing in it', async () => {
    const outside: string[] = [];
    const topology: Topology = ({ stream }) =>
      stream(input).pipe(
        tap(({ key }) => outside.push(key)),
        to(copies),
      );
    const run = await testCluster(crashing(topology, 'between produce and EndTxn'));
    expect(run.committed(copies)).toHaveLength(30);
    expect(outside.length).toBeGreaterThan(30);
  });

  it('is started again too early: it is still being closed', async () => {
    const early = testCluster({ topology: counting, instances: { a: '^!^' }, frame: 1 });
    const message = 'since frame 1 instance "a" is being closed, and has not left yet when frame 2 starts it again';
    await expect(early).rejects.toThrow(errorWith({ code: 'CONFIG', message }));
  });

  it('must come: a point that nobody came to is an error', async () => {
    const never = testCluster({ topology: counting, instances: { a: '^--p--' }, crashes: { p: 'before produce' } });
    await expect(never).rejects.toThrow(
      errorWith({ code: 'CONFIG', message: 'instance "a" was to die before produce from frame 3 on, and has not come there' }),
    );
    const again = testCluster({ topology: counting, instances: { a: '^--p--^' }, crashes: { p: 'before produce' } });
    await expect(again).rejects.toThrow(errorWith({ code: 'CONFIG', message: 'has not come there when frame 6 starts it again' }));
  });
});

describe('testCluster: what fails', () => {
  const planted: TestClusterOptions = {
    topology: counting,
    instances: { a: '^-----' },
    input: [inputRow(input, 'r-r-r-', { r: record('a', '', 1) }), inputRow(results, '---d--', { d: record('a', 2, 1) })],
    seed: 7,
  };

  it('is a double output, with the seed and a picture of the run', async () => {
    const failure = testCluster(planted, (run) => expect(counts(run)).toEqual([1, 2, 3]));
    const { message, stack } = await failure.then(
      () => new Error('it holds'),
      (error: unknown) => error as Error,
    );
    const picture = [
      'Seed 7: `seed: 7` gives the same run again.',
      '  frame    0    5',
      '  a        ^-----',
      '  input    r-r-r-',
      '  results  ---d--',
      '  results  1-111',
    ].join('\n');
    expect(message).toContain(picture);
    expect(message).toMatch(/\n\+ +2,\n/);
    expect(stack).toContain(picture);
  });

  it('is a committed record in another frame, shown in two aligned rows', async () => {
    const failure = testCluster({ ...planted, input: planted.input!.slice(0, 1) }, (run) =>
      run.expectCommitted(results).toBe('a---bc', {
        a: outgoing(results, 'a', 1, 1),
        b: outgoing(results, 'a', 2, 1),
        c: outgoing(results, 'a', 3, 1),
      }),
    );
    await expect(failure).rejects.toThrow(
      [
        'The diagrams differ at frame 2: b (results "a": 2 @1) is expected at frame 4 and came at 2, 2 earlier.',
        '',
        '  expected  a---bc',
        '  actual    a-b-c-',
      ].join('\n'),
    );
  });

  it('says the seed also when it is found after the run', async () => {
    const run = await testCluster(planted);
    const late = () => run.expectCommitted(results).toBe('-', {});
    expect(late).toThrow('Seed 7: `seed: 7` gives the same run again.');
    const early = testCluster(planted, ({ expectCommitted }) => expectCommitted(results).toBe('-', {}));
    const { message } = (await early.catch((error: unknown) => error)) as Error;
    expect(message.match(/Seed 7/g)).toHaveLength(1);
  });

  it('is shown with rows that are aligned, however they were written', async () => {
    const failure = testCluster({ ...planted, instances: { a: '  ^-- x--' } }, () => {
      throw new Error('no');
    });
    await expect(failure).rejects.toThrow(
      [
        '  frame    0    5',
        '  a        ^--x--',
        '  input    r-r-r-',
        '  results  ---d--',
        '  results  1-11',
        '  a died at frame 3: anywhere',
      ].join('\n'),
    );
  });

  it('is an instance that fails, with its code and the seed', async () => {
    const failing = copying(() => {
      throw new Error('cannot do that');
    });
    const failure = testCluster({
      topology: failing,
      instances: { a: '^--' },
      input: [inputRow(input, '-r-', { r: record('a', '', 1) })],
      seed: 3,
    });
    await expect(failure).rejects.toThrow(errorWith({ code: 'PROCESSING', message: /cannot do that[^]*Seed 3:/ }));
  });

  it('is a cluster that does not come to rest, with what is left to do', async () => {
    const paused = testCluster({
      topology: ({ stream }) => stream(input).pipe(take(1), to(copies)),
      instances: { a: '^-' },
      input: [inputRow(input, '-r', { r: records('a1 a2') })],
    });
    const message = 'within 120 s (of virtual time) after the last frame: topic "input", partition 0, is committed up to 0 of 2';
    await expect(paused).rejects.toThrow(errorWith({ code: 'REQUEST_TIMED_OUT', message }));
  });

  it.each([
    ['^-^', 'at frame 2 "^" starts what runs'],
    ['-x', 'at frame 1 "x" ends what does not run'],
    ['^-!-x', 'at frame 4 "x" ends what does not run'],
    ['^-q', '"q" at frame 2 is none of ^ (start), ! (close), x (die), p (die before produce)'],
    ['^ 1500ms x', '1500ms is no whole number of frames, each of 1000 ms'],
    ['^-(x', 'its brackets do not match'],
    ['^-x)', 'its brackets do not match'],
  ])('is a row of an instance that makes no sense: %s', async (row, message) => {
    const wrong = testCluster({ topology: counting, instances: { a: row }, crashes: { p: 'before produce' } });
    await expect(wrong).rejects.toThrow(errorWith({ code: 'CONFIG', message }));
  });

  it('is a row of input without records for it, or for a topic nobody knows', async () => {
    const nameless = testCluster({ topology: counting, instances: { a: '^' }, input: [inputRow(input, '-a', {})] });
    await expect(nameless).rejects.toThrow(errorWith({ code: 'CONFIG', message: 'there is no record for "a" at frame 1' }));
    const unknown = testCluster({ topology: counting, instances: { a: '^' }, input: [inputRow(copies, '', {})] });
    await expect(unknown).rejects.toThrow(errorWith({ code: 'UNKNOWN_TOPIC' }));
    const run = await testCluster({ topology: counting, instances: { a: '^' } });
    expect(() => run.committed(copies)).toThrow(errorWith({ code: 'UNKNOWN_TOPIC', message: 'that the topology writes: "results"' }));
  });
});

/** Every request that reaches the broker, with its time. */
function requestsOf(cluster: SimulatedCluster): readonly string[] {
  const requests: string[] = [];
  cluster['broker'].faults.add({
    match: ({ api, node, clientId, lane, request }) => {
      requests.push(`${cluster['clock'].monotonic()} ${clientId} ${api} ${String(node)} ${lane} ${inspect(request, { depth: 8 })}`);
      return false;
    },
    action: { kind: 'fail before' },
  });
  return requests;
}

/** Key and value of everything in a partition, of aborted transactions too. */
function uncommittedToo(cluster: SimulatedCluster, partition: number): string[] {
  const at = { topic: 'results', partition };
  const reader = new BatchReader(at);
  const found: string[] = [];
  for (const batch of cluster['broker'].partition(at)?.batches ?? []) {
    reader.reset(batch, { aborted: [], from: 0, readCommitted: false });
    while (reader.nextRecord()) found.push(reader.buffer.toString('latin1', reader.keyStart, reader.valueEnd));
  }
  return found;
}
