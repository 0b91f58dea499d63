/** Durable timers and parked calls in whole instances: each happens exactly once, whatever dies in between. */
import { processWithStore, to } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { ApiName } from '../../src/memory/call';
import type { KafkaRecord } from '../../src/model/record';
import { keyValueStore } from '../../src/state/definition';
import { timerStore } from '../../src/state/timer-definition';
import type { Topology } from '../../src/task/topology';
import { input, record } from './programs';
import { World } from './world';

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 1, results: 1 });
});

afterEach(() => world.end());

const results = topic('results', { key: string, value: string });
const quiet = timerStore('quiet', { key: string, clock: 'event' });
const alarms = timerStore('alarms', { key: string, clock: 'wall' });
const seen = keyValueStore('seen', { key: string, value: int64 });
const isFirst = ({ clientId }: { readonly clientId: string }): boolean => clientId === 'one';
const RESTARTED = { sessionTimeout: 6_000 };

const read = async (): Promise<string[]> => (await world.read(results)).map(({ key, value, timestamp }) => `${key} ${value} ${timestamp}`);

/** Says of each key that it was quiet for ten seconds of event time, and after how many records. */
const quietKeys =
  (fired: (key: string) => void = () => undefined): Topology =>
  ({ stream, store }) =>
    stream(input).pipe(
      processWithStore(
        { quiet: store(quiet), seen: store(seen) },
        {
          record: ({ key, timestamp }, stores): KafkaRecord<string, string>[] => {
            stores.seen.put(key, (stores.seen.get(key) ?? 0) + 1);
            stores.quiet.set(key, timestamp + 10_000);
            return [];
          },
          timer: (timer, stores) => {
            fired(timer.key);
            const count = stores.seen.get(timer.key) ?? 0;
            stores.seen.delete(timer.key);
            return [timer.record(`after ${count}`)];
          },
        },
      ),
      to(results),
    );

/** Rings for each record at the wall time that its value says. */
const ringing: Topology = ({ stream, store }) =>
  stream(input).pipe(
    processWithStore(
      { alarms: store(alarms) },
      {
        record: ({ key, value }, stores): KafkaRecord<string, string>[] => {
          stores.alarms.set(key, Number(value));
          return [];
        },
        timer: (timer) => [timer.record('rings')],
      },
    ),
    to(results),
  );

describe('event timers', () => {
  const first = [record('a', 'v', 0), record('b', 'v', 0), record('a', 'v', 1_000)];
  const expected = ['b after 1 10000', 'a after 2 11000'];

  it.each([
    ['before', 'addPartitionsToTxn'],
    ['after', 'addPartitionsToTxn'],
    ['before', 'produce'],
    ['after', 'produce'],
    ['before', 'addOffsetsToTxn'],
    ['after', 'addOffsetsToTxn'],
    ['before', 'txnOffsetCommit'],
    ['after', 'txnOffsetCommit'],
    ['before', 'endTxn'],
    ['after', 'endTxn'],
  ] as const satisfies readonly (readonly [string, ApiName])[])('S13: fire once when their instance dies %s %s', async (when, api) => {
    await world.write(input, first);
    const one = world.start(quietKeys());
    await world.untilCommitted({ input: [3] });
    const struck = world.fault(api, when === 'before' ? { kind: 'fail before' } : { kind: 'lose answer', then: 'hang' }, isFirst);
    await world.write(input, [record('z', 'v', 15_000)]);
    await world.until(() => struck.hits === 1);
    one.kill();
    world.start(quietKeys(), RESTARTED);
    await world.until(() => world.broker.partition({ topic: 'results', partition: 0 })!.highWatermark >= 2);
    await world.untilCommitted({ input: [4] });
    await world.clock.advance(1_000);
    expect(await read()).toEqual(expected);
  });

  it('that a commit has cut off are fired by the next instance, in their order', async () => {
    const keys = Array.from({ length: 500 }, (_, at) => `k${String(at).padStart(3, '0')}`);
    let fired = 0;
    await world.write(
      input,
      keys.map((key) => record(key, 'v', 0)),
    );
    const one = world.start(
      quietKeys(() => {
        fired++;
        world.pass(2);
      }),
    );
    await world.untilCommitted({ input: [500] });
    const before = one.commits.length;
    await world.write(input, [record('z', 'v', 10_000)]);
    await world.until(() => one.commits.length >= before + 2);
    one.kill();
    const committed = (await read()).length;
    expect(committed).toBeGreaterThan(0);
    expect(committed).toBeLessThan(500);
    expect(fired).toBeGreaterThan(committed);
    world.start(quietKeys(), RESTARTED);
    await world.until(() => world.broker.partition({ topic: 'results', partition: 0 })!.highWatermark >= 500);
    await world.clock.advance(1_000);
    expect(await read()).toEqual(keys.map((key) => `${key} after 1 10000`));
  });

  it('that throw are skipped by themselves: neither their record nor other timers suffer', async () => {
    const poisonous = quietKeys((key) => {
      if (key === 'b') throw new Error('this one');
    });
    await world.write(input, [...first, record('z', 'v', 15_000), record('b', 'v', 16_000), record('z', 'v', 17_000)]);
    const one = world.start(poisonous, { onProcessingError: 'skip' });
    await world.untilCommitted({ input: [6] });
    expect(await read()).toEqual(['a after 2 11000']);
    expect(one.total('skipped-records-total')).toBe(1);
    expect(one.commits.flatMap(({ tasks }) => tasks.map(({ records }) => records)).reduce((a, b) => a + b)).toBe(6);
  });

  it('that throw end the run at their place under the policy fail; what came before is committed', async () => {
    const poisonous = quietKeys((key) => {
      if (key === 'a') throw new Error('this one');
    });
    await world.write(input, [...first, record('z', 'v', 15_000)]);
    const one = world.start(poisonous);
    await one.ended();
    await one.close();
    expect(one.error).toMatchObject({ code: 'PROCESSING', where: { operator: 'processWithStore', store: 'quiet', offset: 3 } });
    world.start(quietKeys());
    await world.until(() => world.broker.partition({ topic: 'results', partition: 0 })!.highWatermark >= 2);
    await world.clock.advance(1_000);
    expect(await read()).toEqual(expected);
  });
});

describe('wall clock timers', () => {
  it('fire while nothing comes in, once, also when the instance dies and comes back late', async () => {
    const now = world.clock.now();
    await world.write(input, [record('a', String(now + 60_000)), record('b', String(now + 30_000)), record('c', String(now + 90_000))]);
    const one = world.start(ringing);
    await world.untilCommitted({ input: [3] });
    await world.clock.advance(31_000);
    expect(await read()).toEqual([`b rings ${now + 30_000}`]);
    one.kill();
    await world.clock.advance(35_000);
    world.start(ringing, RESTARTED);
    await world.until(() => world.clock.now() > now + 95_000);
    expect(await read()).toEqual([`b rings ${now + 30_000}`, `a rings ${now + 60_000}`, `c rings ${now + 90_000}`]);
  });
});

describe('a call that waits', () => {
  /** Sums the whole store for each record; `gate` is awaited before. */
  const summing =
    (gate: (key: string) => Promise<void>): Topology =>
    ({ stream, store }) =>
      stream(input).pipe(
        processWithStore(
          { seen: store(seen) },
          {
            record: async (one, { seen: own }) => {
              await gate(one.key);
              own.put(one.key, (own.get(one.key) ?? 0) + 1);
              let sum = 0;
              for await (const [, count] of own.range()) sum += count;
              return [one.withValue(String(sum))];
            },
          },
        ),
        to(results),
      );
  const inputs = ['a', 'b', 'a', 'c', 'a'].map((key, at) => record(key, 'v', at));
  const sums = ['a 1 0', 'b 2 1', 'a 3 2', 'c 4 3', 'a 5 4'];

  it('stops the task, and nothing of it is committed before it has ended', async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    await world.write(input, inputs);
    const one = world.start(summing((key) => (key === 'c' ? gate : Promise.resolve())));
    await world.untilCommitted({ input: [0] });
    await world.clock.advance(2_000);
    expect(world.committed('input', 0)?.offset).toBeLessThan(4);
    open();
    await world.untilCommitted({ input: [5] });
    expect(await read()).toEqual(sums);
    expect(one.error).toBeUndefined();
  });

  it('begins anew elsewhere when its instance dies', async () => {
    await world.write(input, inputs);
    const one = world.start(summing((key) => (key === 'b' ? new Promise(() => undefined) : Promise.resolve())));
    await world.until(() => one.started.length === 1);
    await world.clock.advance(1_000);
    one.kill();
    world.start(
      summing(() => Promise.resolve()),
      RESTARTED,
    );
    await world.untilCommitted({ input: [5] });
    expect(await read()).toEqual(sums);
  });

  it('and fails is undone whole and skipped; what it still writes afterwards reaches nobody', async () => {
    let late: unknown;
    const failing: Topology = ({ stream, store }) =>
      stream(input).pipe(
        processWithStore(
          { seen: store(seen) },
          {
            record: async (one, { seen: own }) => {
              own.put(one.key, (own.get(one.key) ?? 0) + 1);
              if (one.key === 'b') {
                void Promise.resolve()
                  .then(() => Promise.resolve())
                  .then(() => Promise.resolve())
                  .then(() => new Promise<void>((resolve) => void setImmediate(resolve)))
                  .then(() => own.put('b', 99))
                  .catch((error: unknown) => (late = error));
                await Promise.resolve();
                throw new Error('this one');
              }
              let sum = 0;
              for await (const [, count] of own.range()) sum += count;
              return [one.withValue(String(sum))];
            },
          },
        ),
        to(results),
      );
    await world.write(input, inputs);
    const one = world.start(failing, { onProcessingError: 'skip' });
    await world.untilCommitted({ input: [5] });
    expect(await read()).toEqual(['a 1 0', 'a 2 2', 'c 3 3', 'a 4 4']);
    expect(one.total('skipped-records-total')).toBe(1);
    expect(late).toMatchObject({ code: 'PROCESSING' });
  });
});
