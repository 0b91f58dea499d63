import { loadFlights, type Flight } from '../../../examples/flight-delays/flights';
import { judge, type Observed } from '../../../examples/rolling-averages/oracle';
import { report } from '../../../examples/rolling-averages/report';
import { run } from '../../../examples/rolling-averages/run';
import { memoryCluster } from '../../../src';
import { capture, writesWrongly } from '../planted-difference';

jest.setTimeout(60_000); // a busy machine

const never = new AbortController().signal;
const flights = loadFlights().slice(0, 4_000);

const flight = (delay: number, destination = 'B'): Flight => ({ origin: 'A', destination, scheduled: 0, delay });

/** Delays of 0, 4 and 8, then one of 100; scored from the third on. */
const right: Observed = {
  flights: [flight(0), flight(4), flight(7, 'C'), flight(8), flight(100)],
  threshold: 3,
  scoredFrom: 2,
  averages: [
    { airport: 'B', flights: 1, mean: 0, deviation: 0 },
    { airport: 'B', flights: 2, mean: 2, deviation: 2 },
    { airport: 'B', flights: 3, mean: 4, deviation: Math.sqrt(32 / 3) },
    { airport: 'B', flights: 4, mean: 28, deviation: Math.sqrt((32 + 96 * 72) / 4) },
    { airport: 'C', flights: 1, mean: 7, deviation: 0 },
  ],
  anomalies: [
    {
      airport: 'B',
      flight: flight(100),
      before: { flights: 3, mean: 4, deviation: Math.sqrt(32 / 3) },
      score: 96 / Math.sqrt(32 / 3),
    },
  ],
};

describe('the oracle of rolling-averages', () => {
  it('finds nothing wrong with a right run; exactly `threshold` deviations off is not beyond it', () => {
    expect(judge(right)).toEqual({ flights: 5, airports: 2, anomalies: 1, differences: [] });
    // The flight of 8 minutes is (8 - 2) / 2 = 3 standard deviations off.
    expect(judge({ ...right, threshold: 2.999 }).differences).toEqual([
      expect.stringMatching(/B, anomaly 1: .*100 min.*should be .* 8 min/),
    ]);
  });

  it('scores nothing as long as there is nothing to compare with', () => {
    const equal = { flights: [flight(5), flight(5), flight(50)], threshold: 0, anomalies: [] };
    const averages = [
      { airport: 'B', flights: 1, mean: 5, deviation: 0 },
      { airport: 'B', flights: 2, mean: 5, deviation: 0 },
      { airport: 'B', flights: 3, mean: 20, deviation: Math.sqrt(1350 / 3) },
    ];
    expect(judge({ ...equal, scoredFrom: 0, averages }).differences).toEqual([]);
    expect(judge({ ...right, scoredFrom: 4, anomalies: [] }).differences).toEqual([]);
  });

  it.each<[string, Partial<Observed>, RegExp]>([
    [
      'a mean that is off by the last bit',
      { averages: right.averages.map((average) => (average.mean === 28 ? { ...average, mean: 28.000000000000004 } : average)) },
      /^B, average 4: 28.000000000000004 .*, but should be 28 ±/,
    ],
    [
      'an average that is missing',
      { averages: right.averages.slice(0, 4) },
      /^C, average 1: missing, but should be 7 ± 0 min of 1 flights/,
    ],
    ['an average twice', { averages: [...right.averages, right.averages[4]!] }, /^C, average 2: 7 .*, but should be none/],
    ['an anomaly that is missing', { anomalies: [] }, /^B, anomaly 1: missing, but should be A-B 1970-01-01T00:00:00.000Z 100 min/],
    ['an anomaly that is none', { threshold: 50 }, /^B, anomaly 1: .*, but should be none/],
  ])('finds %s', (_what, wrong, expected) => {
    expect(judge({ ...right, ...wrong }).differences).toEqual([expect.stringMatching(expected)]);
  });
});

describe('rolling-averages', () => {
  it('gives what a plain loop gives, and what two passes over all flights give', async () => {
    const outcome = await run({ cluster: memoryCluster(), flights, threshold: 3, signal: never });
    expect(outcome?.verdict).toMatchObject({ flights: 4_000, differences: [] });
    expect(outcome?.anomalies.length).toBeGreaterThan(50);
    for (const { airport, flights: count, mean, deviation } of outcome!.airports) {
      const delays = flights.filter(({ destination }) => destination === airport).map(({ delay }) => delay);
      const average = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
      const squares = delays.reduce((sum, delay) => sum + (delay - average) ** 2, 0);
      expect(count).toBe(delays.length);
      expect(mean).toBeCloseTo(average, 9);
      expect(deviation).toBeCloseTo(Math.sqrt(squares / delays.length), 9);
    }
    const { said, streams } = capture();
    expect(report(outcome!, streams)).toBe(0);
    expect(said.out.split('\n').length).toBeLessThan(20);
    expect(said.out).toMatch(/checked: a plain loop/);
  });

  it('ends with 1 when one flight was delayed by a minute more than the loop knows', async () => {
    const cluster = writesWrongly<Flight>(memoryCluster(), 17, (value) => ({ ...value, delay: value.delay + 1 }));
    const outcome = await run({ cluster, flights, threshold: 3, signal: never });
    const { said, streams } = capture();
    expect(report(outcome!, streams)).toBe(1);
    expect(said.err).toContain('WRONG: ');
    expect(said.err).toContain(`${flights[17]!.destination}, average `);
  });

  it('checks nothing when it is stopped before its end', async () => {
    const stopped = AbortSignal.abort();
    await expect(run({ cluster: memoryCluster(), flights, threshold: 3, signal: stopped })).resolves.toBeUndefined();
  });
});
