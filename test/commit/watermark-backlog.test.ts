/** A backlog of four partitions of which one is read 100,000 records ahead of the others, through a repartition. */
import type { MetricName } from '../../src/model/metrics';
import type { KafkaRecord } from '../../src/model/record';
import { keysOf, record } from './programs';
import { closed, closingBehind, expectedWindows, inputWith } from './watermarks';
import { type Running, type StartOptions, World } from './world';

const AHEAD = 100_000;
const PARTITIONS = 4;
const SPAN = 600_000;
const quick: StartOptions = { sessionTimeout: 6_000, heartbeatInterval: 500 };
const inOrder = { outOfOrderness: 0 };
const input = inputWith(inOrder);
const keys = Array.from({ length: PARTITIONS }, (_, partition) => keysOf(partition, PARTITIONS)[0] as string);

/** Over the whole span of time, the last one at its end. */
function some(key: string, count: number): KafkaRecord<string, string>[] {
  return Array.from({ length: count }, (_, at) => record(key, `v${String(at % 16)}`, Math.floor((at * SPAN) / (count - 1))));
}

describe('a backlog of 4 partitions of which one is read 100,000 records ahead of the others, through a repartition, in watermark mode', () => {
  it.each([1, 2])('gives the same windows as the records in event-time order, with 0 late, on %i instance(s)', async (instances) => {
    const world = new World();
    world.topics({ input: PARTITIONS, results: 1, late: 1 });
    const running: Running[] = [];
    for (let at = 0; at < instances; at++) running.push(world.start(closingBehind(inOrder), { ...quick, name: `instance ${String(at)}` }));
    await world.until(() => running.every(({ owned }) => owned.size === PARTITIONS / instances));

    const first = some(keys[0] as string, AHEAD);
    await world.write(input, first);
    await world.untilCommitted({ input: [AHEAD] });
    const others = keys.slice(1).map((key) => some(key, AHEAD / 10));
    for (const each of others) await world.write(input, each);
    await world.untilCommitted({ input: [AHEAD, ...others.map(({ length }) => length)] });
    await world.clock.advance(5_000);

    const expected = expectedWindows([...first, ...others.flat()], ({ value }) => value, SPAN);
    expect(expected).toHaveLength((16 * SPAN) / 10_000);
    expect(await closed(world)).toEqual(expected);
    const total = (name: MetricName): number => running.reduce((sum, each) => sum + each.total(name), 0);
    // In, and through.
    expect(total('process-total')).toBe(2 * (AHEAD + (3 * AHEAD) / 10));
    expect(total('dropped-records-total')).toBe(0);
    await world.end();
  });
});
