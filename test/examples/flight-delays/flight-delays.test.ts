import { loadFlights, type Flight } from '../../../examples/flight-delays/flights';
import { judge, type Observed } from '../../../examples/flight-delays/oracle';
import { run } from '../../../examples/flight-delays/run';
import { hours, memoryCluster } from '../../../src';

jest.setTimeout(60_000); // a busy machine

const flights = loadFlights();
const never = new AbortController().signal;
const HOUR = 3_600_000;

describe('the flights', () => {
  it('are 20,000 in the order they came in, with their scheduled times read as UTC', () => {
    expect(flights).toHaveLength(20_000);
    expect(flights).toContainEqual({ origin: 'SAN', destination: 'SJC', delay: 32, scheduled: Date.UTC(2001, 0, 13, 14, 56) });
    const arrivals = flights.map(({ scheduled, delay }) => scheduled + delay * 60_000);
    expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b));
    expect([Math.min(...flights.map(({ delay }) => delay)), Math.max(...flights.map(({ delay }) => delay))]).toEqual([-58, 509]);
  });
});

const flight = (scheduled: number, delay = 10): Flight => ({ origin: 'A', destination: 'B', scheduled, delay });

/** Two flights of hour 0, the second after one of hour 2; no grace: it is late. */
const right: Observed = {
  flights: [flight(0), flight(2 * HOUR, 30), flight(1), flight(2 * HOUR + 1, 15)],
  partitions: 1,
  graceMs: 0,
  averages: [
    { airport: 'B', hour: 0, flights: 1, averageDelay: 10 },
    { airport: 'B', hour: 2 * HOUR, flights: 1, averageDelay: 30 },
    { airport: 'B', hour: 2 * HOUR, flights: 2, averageDelay: 22.5 },
  ],
  late: [flight(1)],
};

describe('the oracle of flight-delays', () => {
  it('finds nothing wrong with a right run', () => {
    expect(judge(right)).toEqual({ counted: 3, late: 1, differences: [] });
  });

  it('waits for the grace: a flight is late when its hour ended that long ago, or longer', () => {
    const foundLate = (graceMs: number) => judge({ ...right, graceMs }).differences.length === 0;
    expect([HOUR - 1, HOUR, HOUR + 1].map(foundLate)).toEqual([true, true, false]);
  });

  it.each<[string, Partial<Observed>, RegExp[]]>([
    [
      'a wrong average',
      { averages: right.averages.map((a) => ({ ...a, averageDelay: 1 })) },
      [/B 1970-01-01T00.*1 min/, /B 1970-01-01T02.*1 min/],
    ],
    [
      'an hour that is missing',
      { averages: right.averages.slice(1) },
      [/3 updates expected, but there are 2/, /missing, but should be 1 flights/],
    ],
    ['a late flight that is missing', { late: [] }, [/A-B 1970-01-01T00:00:00.001Z 10 min was late, but is not/]],
    ['a late flight twice', { late: [flight(1), flight(1)] }, [/is among the late ones, but was not late/]],
  ])('finds %s', (_what, wrong, expected) => {
    const { differences } = judge({ ...right, ...wrong });
    expect(differences).toEqual(expected.map((pattern) => expect.stringMatching(pattern) as unknown));
  });
});

describe('flight-delays', () => {
  it.each([
    [1, 156],
    [9, 0],
  ])('with %i h of grace gives what a plain loop gives, %i flights late', async (grace, late) => {
    const outcome = await run({ cluster: memoryCluster(), flights, grace: hours(grace), signal: never });
    expect(outcome?.verdict).toEqual({ counted: 20_000 - late, late, differences: [] });
    expect(outcome?.airports.reduce((sum, airport) => sum + airport.flights, 0)).toBe(20_000 - late);
  });
});
