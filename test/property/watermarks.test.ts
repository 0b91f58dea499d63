/** However the partitions of a topic come along, and whoever dies meanwhile: the windows are those of the records in order of time. */
import * as fc from 'fast-check';
import type { KafkaRecord } from '../../src/model/record';
import { keysOf, record } from '../commit/programs';
import { closed, closingBehind, expectedWindows, inputWith } from '../commit/watermarks';
import { type Running, World } from '../commit/world';

const DISORDER = 7_000;
const END = 1_000_000;
const QUICK = { sessionTimeout: 6_000, heartbeatInterval: 500 };

/** A partition's records: time goes on by steps, and each lies up to the disorder behind. */
const partition = fc.array(fc.record({ step: fc.nat(4_000), behind: fc.nat(DISORDER), value: fc.constantFrom('x', 'y', 'z') }), {
  maxLength: 40,
});

const history = fc.record({
  partitions: fc.array(partition, { minLength: 1, maxLength: 4 }),
  /** Which partition comes along next, by how much, and what happens then. */
  moves: fc.array(
    fc.record({
      of: fc.nat(3),
      records: fc.integer({ min: 1, max: 15 }),
      then: fc.constantFrom('nothing', 'wait', 'wait', 'kill', 'join'),
    }),
    {
      maxLength: 20,
    },
  ),
});

function recordsOf(steps: readonly { step: number; behind: number; value: string }[], key: string): KafkaRecord<string, string>[] {
  let time = 10_000;
  return steps.map(({ step, behind, value }) => record(key, value, Math.max(0, (time += step) - behind)));
}

describe('watermarks behind a repartition', () => {
  it('give the windows of the records in order of time, with 0 late, when disorder is bounded', async () => {
    await fc.assert(
      fc.asyncProperty(history, async ({ partitions, moves }) => {
        const watermark = { outOfOrderness: DISORDER };
        const topology = closingBehind(watermark);
        const world = new World();
        world.topics({ input: partitions.length, results: 1, late: 1 });
        const left = partitions.map((steps, at) => recordsOf(steps, keysOf(at, partitions.length)[0] as string));
        const all = left.flat();
        const instances: Running[] = [world.start(topology, { ...QUICK, name: 'i0' })];
        const join = (): number => instances.push(world.start(topology, { ...QUICK, name: `i${String(instances.length)}` }));
        for (const { of, records, then } of moves) {
          await world.write(inputWith(watermark), left[of % left.length]!.splice(0, records));
          if (then === 'wait') await world.clock.advance(1_700);
          else if (then === 'join' && instances.length < 3) join();
          else if (then === 'kill' && instances.length < 4) {
            instances[0]!.kill();
            join();
          }
        }
        for (const [at, rest] of left.entries()) {
          await world.write(inputWith(watermark), [...rest, record(keysOf(at, partitions.length)[0] as string, 'end', END + DISORDER)]);
        }
        const expected = expectedWindows(all, ({ value }) => value, END);
        await world.until(
          () => (world.broker.partition({ topic: 'results', partition: 0 })?.highWatermark ?? 0) >= expected.length,
          60_000,
        );
        await world.clock.advance(15_000);
        const found = await closed(world);
        const late = instances.reduce((sum, each) => sum + each.total('dropped-records-total'), 0);
        await world.end();
        expect([found, late]).toEqual([expected, 0]);
      }),
      { numRuns: 25 },
    );
  });
});
