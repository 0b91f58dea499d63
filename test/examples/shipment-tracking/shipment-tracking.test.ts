import { judge, type Observed } from '../../../examples/shipment-tracking/oracle';
import { report } from '../../../examples/shipment-tracking/report';
import { run } from '../../../examples/shipment-tracking/run';
import { traffic, type Depot, type Position } from '../../../examples/shipment-tracking/shipments';
import type { NearestDepot } from '../../../examples/shipment-tracking/topology';
import { memoryCluster } from '../../../src';
import { capture, writesWrongly } from '../planted-difference';

jest.setTimeout(60_000); // a busy machine

const never = new AbortController().signal;
const NEAR_KM = 60;
const seen = traffic(1, 60);

describe('the traffic', () => {
  it('is the same for the same seed, another for another', () => {
    const asText = (seed: number) => JSON.stringify(traffic(seed, 10));
    expect(asText(1)).toBe(asText(1));
    expect(asText(2)).not.toBe(asText(1));
  });

  it('has its positions in the order of their times', () => {
    const times = seen.positions.map(({ timestamp }) => timestamp);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});

const MINUTE = 60_000;
const depot = (id: number, latitude: number): Depot => ({ id, name: `depot ${id}`, latitude, longitude: 0, handlingMinutes: 10 });
const position = (latitude: number, timestamp: number): Position => ({
  ...{ shipment: 's', latitude, longitude: 0, timestamp },
  ...{ kmPerHour: 60, promised: timestamp + 30 * MINUTE },
});

/** A degree is 111.2 km. 50.04 is in the cell of 50.0: 4.4 km to depot 1, in time; 50.26 is 28.9 km from it; 52 is far from both. */
const right: Observed = {
  depots: [depot(1, 50), depot(2, 50.7)],
  positions: [position(50.04, 1), position(50.26, 2), position(52, 3)],
  nearKm: NEAR_KM,
  predictions: [
    { shipment: 's', timestamp: 1, depot: 'depot 1', delayMinutes: 0 },
    { shipment: 's', timestamp: 2, depot: 'depot 1', delayMinutes: 9 },
    { shipment: 's', timestamp: 3, depot: null, delayMinutes: null },
  ],
};

describe('the oracle of shipment-tracking', () => {
  it('finds nothing wrong with a right run', () => {
    expect(judge(right)).toEqual({ predictions: 3, withoutDepot: 1, delayed: 1, differences: [] });
  });

  it.each<[string, Partial<Observed>, RegExp[]]>([
    [
      'another depot',
      { predictions: [{ ...right.predictions[0]!, depot: 'depot 2' }, ...right.predictions.slice(1)] },
      [/^s at .*001Z: depot 1, 0 min late: missing$/, /^s at .*001Z: depot 2, 0 min late: should not be$/],
    ],
    [
      'another delay',
      { predictions: [right.predictions[0]!, { ...right.predictions[1]!, delayMinutes: 8 }, right.predictions[2]!] },
      [/^s at .*002Z: depot 1, 9 min late: missing$/, /^s at .*002Z: depot 1, 8 min late: should not be$/],
    ],
    [
      'a depot where none is near',
      { predictions: [...right.predictions.slice(0, 2), { ...right.predictions[1]!, timestamp: 3 }] },
      [/^s at .*003Z: no depot: missing$/, /^s at .*003Z: depot 1, 9 min late: should not be$/],
    ],
    ['a prediction that is missing', { predictions: right.predictions.slice(1) }, [/^s at .*001Z: .*: missing$/]],
    ['a prediction twice', { predictions: [right.predictions[0]!, ...right.predictions] }, [/^s at .*001Z: .*: should not be$/]],
    [
      'predictions that have changed places',
      { predictions: [right.predictions[1]!, right.predictions[0]!, right.predictions[2]!] },
      [/^s at .*001Z: .*: behind a later position of the same shipment$/],
    ],
  ])('finds %s', (_what, wrong, expected) => {
    const { differences } = judge({ ...right, ...wrong });
    expect(differences).toEqual(expected.map((pattern) => expect.stringMatching(pattern) as unknown));
  });
});

/** In the place of the database: on the plane, which is right where no two depots are nearly as near. */
const kmOnThePlane = (latitude: number, longitude: number, to: Depot): number =>
  (Math.hypot(to.latitude - latitude, (to.longitude - longitude) * Math.cos((latitude * Math.PI) / 180)) * Math.PI * 6_371) / 180;

/** Answers in another order than it is asked. */
const answering = (depots: readonly Depot[]): NearestDepot => {
  let asked = 0;
  return async (cell) => {
    const [latitude = 0, longitude = 0] = cell.split(',').map(Number);
    for (let turns = (asked++ * 7) % 5; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
    const near = depots.filter((depot) => kmOnThePlane(latitude, longitude, depot) <= NEAR_KM);
    return near.sort((a, b) => kmOnThePlane(latitude, longitude, a) - kmOnThePlane(latitude, longitude, b))[0];
  };
};

/** Two depots on one meridian and positions on it: there the plane is the sphere. */
const onOneMeridian = {
  depots: [depot(1, 50), depot(2, 50.7)],
  positions: Array.from({ length: 500 }, (_, i) => ({ ...position(49 + (i % 40) / 16, i), shipment: `s${i % 7}` })),
};

describe('shipment-tracking', () => {
  it('gives what a plain loop gives though answers change places, reports in a few lines and ends with 0', async () => {
    const nearestDepot = answering(onOneMeridian.depots);
    const outcome = await run({ cluster: memoryCluster(), traffic: onOneMeridian, nearKm: NEAR_KM, nearestDepot, signal: never });
    expect(outcome?.verdict.differences).toEqual([]);
    for (const happens of ['delayed', 'withoutDepot'] as const) expect(outcome?.verdict[happens]).toBeGreaterThan(50);
    expect(outcome?.asked).toBeLessThan(onOneMeridian.positions.length / 2);
    const { said, streams } = capture();
    expect(report(outcome!, streams)).toBe(0);
    expect(said.out.split('\n').length).toBeLessThan(15);
    expect(said.out).toMatch(/checked: a plain loop/);
  });

  it('ends with 1 when one truck was faster than the loop knows', async () => {
    const faster = (value: Position): Position => ({ ...value, kmPerHour: 2 * value.kmPerHour });
    const nearestDepot = answering(onOneMeridian.depots);
    const late = onOneMeridian.positions.findIndex(({ latitude }) => latitude === 49.5625); // 44 minutes of driving, 20 too many
    const cluster = writesWrongly(memoryCluster(), late, faster);
    const outcome = await run({ cluster, traffic: onOneMeridian, nearKm: NEAR_KM, nearestDepot, signal: never });
    const { said, streams } = capture();
    expect(report(outcome!, streams)).toBe(1);
    expect(said.err).toMatch(
      /WRONG: 2 differences[^]* {2}s2 .*: depot 1, 29 min late: missing\n {2}s2 .*: depot 1, 4 min late: should not be\n/,
    );
  });

  it('checks nothing when it is stopped before its end', async () => {
    const nearestDepot = answering([]);
    const signal = AbortSignal.abort();
    await expect(run({ cluster: memoryCluster(), traffic: seen, nearKm: NEAR_KM, nearestDepot, signal })).resolves.toBeUndefined();
  });
});
