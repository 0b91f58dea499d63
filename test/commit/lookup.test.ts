/** Lookups in whole instances: while calls are out the commit waits; whoever dies, each result is written once, in order. */
import { merge } from 'rxjs';
import { countWithStore, lookup, type LookupFetch, type LookupOptions, mapValues, to, windowTumbling } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { windowStore } from '../../src/state/definition';
import type { Topology } from '../../src/task/topology';
import { delay } from '../../src/time/clock';
import { Service } from './answering';
import { pureRandom } from './chance';
import { copied, input, keysOf, perTenSeconds, record, records } from './programs';
import { World } from './world';

type Options = Partial<LookupOptions<string, string, 'placed', string>>;

let world: World;
let service: Service;

beforeEach(() => {
  world = new World();
  world.topics({ input: 1, results: 1 });
  service = new Service();
});

afterEach(() => world.end());

const looking = (options: Options = {}, fetch: LookupFetch<string, string> = service.fetch) =>
  lookup(fetch, { id: (value: string) => value, ...options });

const enriching =
  (options: Options = {}, fetch: LookupFetch<string, string> = service.fetch): Topology =>
  ({ stream }) =>
    stream(input).pipe(
      looking(options, fetch),
      mapValues(([, answer]) => answer),
      to(copied),
    );

const written = async (): Promise<string[]> => (await world.read(copied)).map(({ value }) => value);
const perKey = windowStore('per-key', { key: string, value: int64, windows: perTenSeconds });
const closed = topic('results', { key: perKey.output.key, value: string });
const closes = async (): Promise<string[]> => (await world.read(closed)).map(({ value }) => value);
const committed = (): number => world.committed('input', 0)?.offset ?? -1;
const upTo = (count: number): string[] => Array.from({ length: count }, (_, at) => `v${at}!`);
const pass = (ms: number): Promise<void> => world.settle(delay(world.clock, ms));
const waitingFor = (...ids: string[]): Promise<void> => world.until(() => service.waiting.join() === ids.join());

describe('while calls are out', () => {
  it('the task goes on up to `concurrency`, and commits nothing', async () => {
    await world.write(input, records('a', 5));
    world.start(enriching({ concurrency: 3 }));
    await waitingFor('v0', 'v1', 'v2');
    service.answer('v1');
    await pass(1_000);
    expect(service.waiting).toEqual(['v0', 'v2']);
    expect(committed()).toBe(0);
  });

  it('a record that is answered makes room for the next', async () => {
    await world.write(input, records('a', 5));
    world.start(enriching({ concurrency: 3 }), { commitInterval: 60_000 });
    await waitingFor('v0', 'v1', 'v2');
    service.answer('v0');
    await waitingFor('v1', 'v2', 'v3');
    expect(committed()).toBe(0);
  });

  it('a commit that is due lets no further record in, and falls as soon as all have landed', async () => {
    await world.write(input, records('a', 5));
    const one = world.start(enriching({ concurrency: 3 }), { commitInterval: 20_000 });
    await waitingFor('v0', 'v1', 'v2');
    await pass(20_000);
    service.answer('v1');
    service.answer('v0');
    await pass(100);
    expect(service.waiting).toEqual(['v2']);
    service.answer('v2');
    await world.until(() => one.commits.length > 0, 1_000);
    expect(await written()).toEqual(upTo(3));
    await waitingFor('v3', 'v4');
  });

  it('other tasks commit without it', async () => {
    const [mine, others] = [keysOf(0, 2)[0]!, keysOf(1, 2)[0]!];
    world.topics({ two: 2 });
    const two = topic('two', { key: string, value: string });
    await world.write(two, [record(mine, 'v0'), record(others, 'v1')]);
    world.start(({ stream }) =>
      stream(two).pipe(
        looking(),
        mapValues(([, answer]) => answer),
        to(copied),
      ),
    );
    await waitingFor('v0', 'v1');
    service.answer('v1');
    await world.until(() => world.committed('two', 1)?.offset === 1);
    expect([world.committed('two', 0)?.offset, await written()]).toEqual([0, ['v1!']]);
  });

  it('what a stream does beside is committed with it', async () => {
    await world.write(input, records('a', 1));
    world.start(({ stream }) =>
      merge(
        stream(input),
        stream(input).pipe(
          looking(),
          mapValues(([, answer]) => answer),
        ),
      ).pipe(to(copied)),
    );
    await waitingFor('v0');
    await pass(1_000);
    expect(await written()).toEqual([]);
    service.answer('v0');
    await world.untilCommitted({ input: [1] });
    expect(await written()).toEqual(['v0', 'v0!']);
  });

  it('closing waits for what is out, and takes no more', async () => {
    await world.write(input, records('a', 5));
    const one = world.start(enriching({ concurrency: 2 }), { commitInterval: 60_000 });
    await waitingFor('v0', 'v1');
    const closed = one.app.close();
    await pass(20);
    service.answerAll();
    await world.settle(closed);
    expect([service.asked.length, committed(), await written()]).toEqual([2, 2, upTo(2)]);
  });

  it('what does not come back in time for closing is aborted, and is not committed', async () => {
    await world.write(input, records('a', 2));
    const one = world.start(enriching());
    await waitingFor('v0', 'v1');
    await one.close(100);
    expect(service.asked.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    expect([committed(), await written()]).toEqual([0, []]);
  });

  it('reading to the end ends when the last has been answered', async () => {
    await world.write(input, records('a', 3));
    const one = world.start(enriching(), { until: 'caught-up' });
    await waitingFor('v0', 'v1', 'v2');
    await pass(5_000);
    expect(one.completed).toBe(false);
    service.answerAll();
    await one.ended();
    expect([one.completed, await written()]).toEqual([true, upTo(3)]);
  });
});

describe('a process that dies with calls out', () => {
  it('has written nothing of them: the next one asks again, and writes each result once', async () => {
    await world.write(input, records('a', 4));
    const one = world.start(enriching());
    await waitingFor('v0', 'v1', 'v2', 'v3');
    service.answer('v0');
    service.answer('v1');
    await pass(50);
    one.kill();
    world.start(enriching(), { name: 'two' });
    await world.until(() => service.ids.length === 8);
    expect(service.ids.slice(4)).toEqual(['v0', 'v1', 'v2', 'v3']);
    service.answerAll();
    await world.untilCommitted({ input: [4] });
    expect(await written()).toEqual(upTo(4));
  });

  it.each([1, 2, 3, 4, 5])('keeps order and counts under any latencies, deaths and refusals (chance %i)', async (seed) => {
    const chance = pureRandom(seed);
    const fetch: LookupFetch<string, string> = async (id) => {
      await delay(world.clock, chance.below(40));
      if (chance.below(50) === 0) throw new Error('refused by chance');
      return `${id}!`;
    };
    const enrich = enriching({ concurrency: 5, cache: { ttl: 100, max: 20 } }, fetch);
    await world.write(input, records('a', 150));
    for (let life = 0; committed() < 150; life++) {
      expect(life).toBeLessThan(200);
      const one = world.start(enrich, { name: `life-${life}` });
      const killed = world.clock.monotonic() + 200 + chance.below(1_500);
      await world.until(() => one.error !== undefined || committed() >= 150 || world.clock.monotonic() > killed);
      one.kill();
    }
    expect(await written()).toEqual(upTo(150));
  });
});

describe('a call that fails', () => {
  /** Refuses what `refuses`, answers all others after some ms, the later ones sooner. */
  const refusing =
    (refuses: (id: string) => boolean): LookupFetch<string, string> =>
    async (id) => {
      await delay(world.clock, 50 - Number(id.slice(1)));
      if (refuses(id)) throw new Error(`${id} is refused`);
      return `${id}!`;
    };

  it('ends the run with the place of its record; what came before is committed', async () => {
    await world.write(input, records('a', 20));
    const one = world.start(
      enriching(
        {},
        refusing((id) => id === 'v13'),
      ),
    );
    await one.ended();
    await one.close();
    const error = { code: 'PROCESSING', where: { operator: 'lookup', topic: 'input', partition: 0, offset: 13 } };
    expect(one.error).toMatchObject(error);
    expect(one.error?.message).toContain('v13 is refused');
    expect([committed(), await written()]).toEqual([13, upTo(13)]);
  });

  it('is left out under skip, alone and with all that its record led to, and counted once', async () => {
    await world.write(input, records('a', 20));
    const refuses = (id: string): boolean => ['v0', 'v7', 'v8', 'v19'].includes(id);
    const topology: Topology = ({ stream }) =>
      merge(
        stream(input),
        stream(input).pipe(
          looking({}, refusing(refuses)),
          mapValues(([, answer]) => answer),
        ),
      ).pipe(to(copied));
    const one = world.start(topology, { onProcessingError: 'skip' });
    await world.untilCommitted({ input: [20] });
    const values = await written();
    const left = upTo(20).filter((answer) => !refuses(answer.slice(0, -1)));
    expect(values.filter((value) => value.endsWith('!'))).toEqual(left);
    expect(values.filter((value) => !value.endsWith('!'))).toEqual(left.map((answer) => answer.slice(0, -1)));
    expect(one.total('skipped-records-total')).toBe(4);
  });

  it('is tried again when the policy fails and it does not fail a second time', async () => {
    await world.write(input, records('a', 20));
    let refused = 0;
    const one = world.start(
      enriching(
        {},
        refusing((id) => id === 'v13' && refused++ === 0),
      ),
    );
    await world.untilCommitted({ input: [20] });
    expect([one.error, await written()]).toEqual([undefined, upTo(20)]);
  });

  it('is told by LOOKUP_TIMEOUT when no answer comes, and its signal is aborted', async () => {
    await world.write(input, records('a', 1));
    const one = world.start(enriching({ timeout: 2_000 }));
    await one.ended();
    expect(one.error).toMatchObject({ code: 'LOOKUP_TIMEOUT', retryable: true, where: { operator: 'lookup', topic: 'input', offset: 0 } });
    expect(service.asked[0]!.signal.reason).toMatchObject({ code: 'LOOKUP_TIMEOUT' });
  });

  it('shows its code to the policy', async () => {
    await world.write(input, records('a', 2));
    const one = world.start(enriching({ timeout: 2_000 }), {
      onProcessingError: ({ error, offset }) => (error.code === 'LOOKUP_TIMEOUT' && offset === 0 ? 'skip' : 'fail'),
    });
    await world.until(() => service.ids.filter((id) => id === 'v1').length === 2);
    service.answer('v1');
    await world.untilCommitted({ input: [2] });
    expect([one.error, await written()]).toEqual([undefined, ['v1!']]);
  });

  it('leaves the cache as it is', async () => {
    const ids = ['x', 'y', 'x', 'y', 'bad', 'x', 'y'];
    await world.write(
      input,
      ids.map((id, at) => record('a', id, at)),
    );
    const asked: string[] = [];
    const fetch: LookupFetch<string, string> = async (id) => {
      asked.push(id);
      if (id === 'bad') throw new Error('refused');
      return `${id}!`;
    };
    world.start(enriching({ cache: { ttl: 60_000, max: 10 } }, fetch), { onProcessingError: 'skip' });
    await world.untilCommitted({ input: [7] });
    expect(await written()).toEqual(['x!', 'y!', 'x!', 'y!', 'x!', 'y!']);
    expect(asked.filter((id) => id !== 'bad').sort()).toEqual(['x', 'y']);
  });

  it('behind the close of a window is the close that is left out, not the record that caused it', async () => {
    const topology: Topology = ({ stream, store }) => {
      const counted = stream(input).pipe(windowTumbling(perTenSeconds), countWithStore(store(perKey), { emit: 'close' }));
      const answer = async (id: string): Promise<string> => {
        if (id === 'poison') throw new Error('this one');
        return `${id}!`;
      };
      return counted.pipe(
        lookup(answer, { id: (_, { key }) => key.key }),
        mapValues(([count, name]) => `${name}${count}`),
        to(closed),
      );
    };
    await world.write(input, [
      record('a', 'v', 0),
      record('poison', 'v', 1),
      record('z', 'v', 2),
      record('a', 'v', 15_000),
      record('a', 'v', 30_000),
    ]);
    const one = world.start(topology, { onProcessingError: 'skip' });
    await world.untilCommitted({ input: [5] });
    expect(await closes()).toEqual(['a!1', 'z!1', 'a!1']);
    expect(one.total('skipped-records-total')).toBe(1);
    expect(one.commits.flatMap(({ tasks }) => tasks.map((task) => task.records)).reduce((a, b) => a + b, 0)).toBe(5);
  });
});

describe('in watermark mode', () => {
  it('a record that is out is not late for the windows behind it', async () => {
    const events = topic('input', { key: string, value: string, watermark: { outOfOrderness: 0, idleAfter: 1_000 } });
    const topology: Topology = ({ stream, store }) =>
      stream(events).pipe(
        looking(),
        mapValues(([, answer]) => answer),
        windowTumbling(perTenSeconds),
        countWithStore(store(perKey), { emit: 'close' }),
        mapValues((count) => `${count}`),
        to(closed),
      );
    await world.write(input, [record('a', 'v0', 1), record('a', 'v1', 25_000), record('a', 'v2', 50_000)]);
    const one = world.start(topology);
    await waitingFor('v0', 'v1', 'v2');
    await pass(3_000);
    service.answer('v2');
    service.answer('v1');
    service.answer('v0');
    await world.untilCommitted({ input: [3] });
    await world.write(input, [record('a', 'v3', 90_000)]);
    await waitingFor('v3');
    service.answer('v3');
    await world.until(() => one.total('process-total') === 4);
    await pass(500);
    expect([await closes(), one.total('dropped-records-total')]).toEqual([['1', '1', '1'], 0]);
  });
});

describe('two lookups after each other', () => {
  it('keep the order, and are through before anything is committed', async () => {
    await world.write(input, records('a', 3));
    const second = new Service();
    world.start(({ stream }) =>
      stream(input).pipe(
        looking(),
        mapValues(([, answer]) => answer),
        looking({}, second.fetch),
        mapValues(([, answer]) => answer),
        to(copied),
      ),
    );
    await waitingFor('v0', 'v1', 'v2');
    service.answerAll();
    await world.until(() => second.waiting.length === 3);
    await pass(500);
    expect(committed()).toBe(0);
    for (const id of ['v2!', 'v0!', 'v1!']) second.answer(id);
    await world.untilCommitted({ input: [3] });
    expect(await written()).toEqual(['v0!!', 'v1!!', 'v2!!']);
  });
});
