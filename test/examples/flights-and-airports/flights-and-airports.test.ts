import { loadFlights, type Flight } from '../../../examples/flight-delays/flights';
import { loadAirports, type Airport } from '../../../examples/flights-and-airports/airports';
import { judge, type Observed } from '../../../examples/flights-and-airports/oracle';
import { report } from '../../../examples/flights-and-airports/report';
import { run } from '../../../examples/flights-and-airports/run';
import { memoryCluster } from '../../../src';
import { capture, writesWrongly } from '../planted-difference';

jest.setTimeout(60_000); // a busy machine

const never = new AbortController().signal;
const flights = loadFlights().slice(0, 3_000);
const airports = loadAirports();

describe('the airports', () => {
  it('are 3,376 with a code of their own, names with commas among them', () => {
    expect(airports).toHaveLength(3_376);
    expect(new Set(airports.map(({ iata }) => iata)).size).toBe(3_376);
    expect(airports).toContainEqual({ iata: 'BTR', name: 'Baton Rouge Metropolitan, Ryan', city: 'Baton Rouge', state: 'LA' });
    expect(airports[0]).toEqual({ iata: '00M', name: 'Thigpen', city: 'Bay Springs', state: 'MS' });
  });
});

const flight = (destination: string, delay: number): Flight => ({ origin: 'O', destination, scheduled: 0, delay });
const airport = (iata: string, state: string): Airport => ({ iata, name: `${iata} Intl`, city: 'Town', state });
const arrival = (of: Flight, state: string) => ({ ...of, airport: `${of.destination} Intl`, city: 'Town', state });

/** Two airports of one state, one of another, and a flight to nowhere. */
const right: Observed = {
  flights: [flight('A', 10), flight('B', 21), flight('C', 5), flight('X', 99)],
  airports: [airport('A', 'NY'), airport('B', 'NY'), airport('C', 'TX')],
  arrivals: [arrival(flight('A', 10), 'NY'), arrival(flight('B', 21), 'NY'), arrival(flight('C', 5), 'TX')],
  averages: [
    { state: 'NY', flights: 1, averageDelay: 10 },
    { state: 'NY', flights: 2, averageDelay: 15.5 },
    { state: 'TX', flights: 1, averageDelay: 5 },
  ],
};

describe('the oracle of flights-and-airports', () => {
  it('finds nothing wrong with a right run', () => {
    expect(judge(right)).toEqual({ arrivals: 3, unknown: 1, states: right.averages.slice(1), differences: [] });
  });

  it.each<[string, Partial<Observed>, RegExp[]]>([
    [
      'a flight at another airport',
      { arrivals: [...right.arrivals.slice(0, 2), arrival(flight('C', 5), 'NY')] },
      [/^O-C .* to C Intl in Town, TX: missing$/, /^O-C .* to C Intl in Town, NY: should not be$/],
    ],
    ['a flight that is missing', { arrivals: right.arrivals.slice(1) }, [/^O-A .*: missing$/]],
    [
      'a wrong average',
      { averages: right.averages.map((state) => ({ ...state, averageDelay: 5 })) },
      [/^NY, 2 flights, 15.5 min.*: missing$/, /^NY, 2 flights, 5 min.*: should not be$/],
    ],
    ['an update twice', { averages: [...right.averages, right.averages[2]!] }, [/^3 updates expected, but there are 4$/]],
  ])('finds %s', (_what, wrong, expected) => {
    const { differences } = judge({ ...right, ...wrong });
    expect(differences).toEqual(expected.map((pattern) => expect.stringMatching(pattern) as unknown));
  });
});

describe('flights-and-airports', () => {
  it('gives the same with a table and with a global table: what a plain loop gives', async () => {
    const known = airports.filter(({ state }) => state !== 'NV');
    const both = [];
    for (const way of ['table', 'globalTable'] as const) {
      const outcome = await run({ cluster: memoryCluster(), flights, airports: known, way, signal: never });
      expect(outcome?.verdict).toMatchObject({ differences: [] });
      expect(outcome?.verdict.unknown).toBeGreaterThan(100);
      both.push(outcome!);
    }
    expect(both[0]!.verdict).toEqual(both[1]!.verdict);
    const { said, streams } = capture();
    expect(report(both, streams)).toBe(0);
    expect(said.out.split('\n').length).toBeLessThan(15);
    expect(said.out).toMatch(/checked: a plain loop/);
  });

  it.each(['table', 'globalTable'] as const)('with a %s ends with 1 when one flight was as late as the loop does not know', async (way) => {
    const later = (value: Flight | Airport): Flight | Airport => ('delay' in value ? { ...value, delay: value.delay + 1 } : value);
    const few = flights.slice(0, 300);
    const outcome = await run({ cluster: writesWrongly(memoryCluster(), 0, later), flights: few, airports, way, signal: never });
    const { said, streams } = capture();
    expect(report([outcome!], streams)).toBe(1);
    expect(said.err).toMatch(new RegExp(`WRONG: 4 differences[^]* {2}${way}: ${few[0]!.origin}-${few[0]!.destination} .*: missing\n`));
  });

  it('checks nothing when it is stopped before its end', async () => {
    const signal = AbortSignal.abort();
    await expect(run({ cluster: memoryCluster(), flights, airports, way: 'table', signal })).resolves.toBeUndefined();
  });
});
