/** `outputs(topic)`: committed records, typed, to whoever watches. */
import { config, map } from 'rxjs';
import { counting, countingWindows, input, record, records, results, windowResults } from './programs';
import { World } from './world';

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 1, results: 1 });
});

afterEach(() => world.end());

describe('outputs of a topic', () => {
  it('come after their commit, typed, with key, value and timestamp', async () => {
    const one = world.start(countingWindows);
    const seen: unknown[] = [];
    one.app.outputs(windowResults).subscribe(({ topic, key, value, timestamp }) => {
      expect(one.steps.at(-1)).toBe('ended');
      seen.push([topic, key.key, key.start, key.end, value, timestamp]);
    });
    await world.until(() => one.state === 'running');
    const held = world.fault('endTxn', { kind: 'delay', ms: 500 });
    await world.write(input, [record('a', 'v', 1), record('a', 'v', 2), record('a', 'v', 10_000)]);
    await world.until(() => held.hits === 1);
    await world.clock.advance(400);
    expect(seen).toEqual([]);
    await world.untilCommitted({ input: [3] });
    await world.until(() => seen.length > 0);
    expect(seen).toEqual([['results', 'a', 0, 10_000, 2, 2]]);
  });

  it('are not those of an aborted transaction, nor twice those that were done again', async () => {
    const one = world.start(counting);
    const seen: number[] = [];
    one.app.outputs(results).subscribe(({ value }) => seen.push(value));
    await world.until(() => one.state === 'running');
    world.fault('addPartitionsToTxn', { kind: 'answer', errorCode: 48 }, undefined, 3);
    await world.write(input, records('a', 5));
    await world.until(() => one.total('abort-total') === 3);
    expect(seen).toEqual([]);
    await world.untilCommitted({ input: [5] });
    await world.until(() => seen.length > 0);
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  it('are kept for nobody: who subscribes later sees what is pushed from then on, and the end', async () => {
    const one = world.start(counting);
    await world.write(input, records('a', 3));
    await world.untilCommitted({ input: [3] });
    const seen: number[] = [];
    let completed = false;
    one.app.outputs(results).subscribe({ next: ({ value }) => seen.push(value), complete: () => (completed = true) });
    await world.write(input, records('a', 2, 3));
    await world.untilCommitted({ input: [5] });
    await one.close();
    expect(seen).toEqual([4, 5]);
    expect(completed).toBe(true);
  });

  it('go to every subscriber though one of them throws, and the commit goes on', async () => {
    const reported: unknown[] = [];
    config.onUnhandledError = (error) => reported.push(error);
    const one = world.start(counting);
    const seen: number[] = [];
    let broken: unknown;
    one.app.outputs(results).subscribe(() => {
      throw new Error('a broken subscriber');
    });
    one.app
      .outputs(results)
      .pipe(
        map(() => {
          throw new Error('a broken operator');
        }),
      )
      .subscribe({ error: (error: unknown) => (broken = error) });
    one.app.outputs(results).subscribe(({ value }) => seen.push(value));
    await world.write(input, records('a', 3));
    await world.untilCommitted({ input: [3] });
    await world.write(input, records('a', 3, 3));
    await world.untilCommitted({ input: [6] });
    await one.close();
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(one.error).toBeUndefined();
    expect(broken).toEqual(new Error('a broken operator'));
    // RxJS reports it in a timer of its own.
    await new Promise(setImmediate);
    config.onUnhandledError = null;
  });
});
