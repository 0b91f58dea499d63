import { judge, type Observed } from '../../../examples/earthquakes/oracle';
import { loadQuakes, type Quake } from '../../../examples/earthquakes/quakes';
import { report } from '../../../examples/earthquakes/report';
import { run } from '../../../examples/earthquakes/run';
import { hours, memoryCluster } from '../../../src';
import { capture, writesWrongly } from '../planted-difference';

jest.setTimeout(60_000); // a busy machine

const never = new AbortController().signal;
const quakes = loadQuakes();
const HOUR = 3_600_000;

describe('the quakes', () => {
  it('are 1,707 in the order in which their entries were final, with a region each', () => {
    expect(quakes).toHaveLength(1_707);
    const arrivals = quakes.map(({ updated }) => updated);
    expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b));
    expect(quakes).toContainEqual({ id: 'ci37868143', region: 'California', magnitude: 2, time: 1517966773840, updated: 1517966996303 });
    const regions = new Set(quakes.map(({ region }) => region));
    expect(regions.size).toBe(71);
    for (const region of ['Alaska', 'Nevada', 'Mexico', 'Reykjanes Ridge', 'South Georgia and the South Sandwich Islands']) {
      expect(regions).toContain(region);
    }
  });
});

const quake = (time: number, magnitude = 1): Quake => ({ id: `q${time}`, region: 'Chile', magnitude, time, updated: 0 });

/** Half an hour out of order at most: the quake at 1:30 ends hour 0, the one at 0:59 is late then; hour 2 is not over. */
const right: Observed = {
  quakes: [quake(0, 2), quake(HOUR, 3), quake(1), quake(1.5 * HOUR), quake(HOUR - 1), quake(HOUR + 1), quake(2.5 * HOUR)],
  partitions: 1,
  outOfOrdernessMs: HOUR / 2,
  activity: [
    { region: 'Chile', hour: 0, quakes: 2, strongest: 2 },
    { region: 'Chile', hour: HOUR, quakes: 3, strongest: 3 },
  ],
  late: [{ quake: quake(HOUR - 1), hour: 0, watermark: HOUR, lateness: 1 }],
};

describe('the oracle of earthquakes', () => {
  it('finds nothing wrong with a right run', () => {
    expect(judge(right)).toEqual({ counted: 5, late: 1, open: 1, differences: [] });
  });

  it('holds an hour open until the watermark has reached its end, and not longer', () => {
    const reached = (time: number) => {
      const watermark = time - right.outOfOrdernessMs;
      const late = [{ quake: quake(1), hour: 0, watermark, lateness: watermark - 1 }];
      const activity = [{ region: 'Chile', hour: 0, quakes: 1, strongest: 1 }];
      return judge({ ...right, quakes: [quake(0), quake(time), quake(1)], activity, late }).differences;
    };
    expect(reached(1.5 * HOUR)).toEqual([]);
    expect(reached(1.5 * HOUR - 1)).toEqual([
      expect.stringMatching(/^Chile .*, 1 quakes, .*: should not be$/),
      expect.stringMatching(/^q1 in Chile.* is among the late ones, but was not late so$/),
      expect.stringMatching(/^3 quakes written, but .* = 5$/),
    ]);
  });

  it.each<[string, Partial<Observed>, RegExp[]]>([
    [
      'another magnitude',
      { activity: right.activity.map((hour) => ({ ...hour, strongest: 2 })) },
      [/^Chile 1970-01-01T01:00:00.000Z, 3 quakes, magnitude 3 at most: missing$/, /magnitude 2 at most: should not be$/],
    ],
    ['an hour twice', { activity: [...right.activity, right.activity[0]!] }, [/^Chile .*: should not be$/, /^7 quakes written, .* = 9$/]],
    ['an hour that is missing', { activity: right.activity.slice(1) }, [/^Chile 1970-01-01T00.*: missing$/, /^7 quakes written, .* = 5$/]],
    ['a late quake that is missing', { late: [] }, [/^q3599999 in Chile, .* was late, but is not/, /= 6$/]],
    [
      'a late quake with another watermark',
      { late: right.late.map((late) => ({ ...late, watermark: late.watermark + 1 })) },
      [/watermark 1970-01-01T01:00:00.000Z.* was late, but is not/, /watermark 1970-01-01T01:00:00.001Z.* but was not late so/],
    ],
  ])('finds %s', (_what, wrong, expected) => {
    const { differences } = judge({ ...right, ...wrong });
    expect(differences).toEqual(expected.map((pattern) => expect.stringMatching(pattern) as unknown));
  });
});

describe('earthquakes', () => {
  it.each([
    [1, 938, 19],
    [72, 25, 773],
    [168, 0, 1_707],
  ])('out of order by up to %i h gives what a plain loop gives: %i late, %i in hours not over', async (allowed, late, open) => {
    const outcome = await run({ cluster: memoryCluster(), quakes, outOfOrderness: hours(allowed), signal: never });
    expect(outcome?.verdict).toEqual({ counted: 1_707 - late - open, late, open, differences: [] });
    expect(outcome?.regions.reduce((sum, region) => sum + region.quakes, 0)).toBe(1_707 - late - open);
    const { said, streams } = capture();
    expect(report([outcome!], streams)).toBe(0);
    expect(said.out).toMatch(new RegExp(`\\n +${allowed} h +${1_707 - late - open} +${late} +${open}\\n`));
    expect(said.out).toMatch(/checked: a plain loop/);
  });

  it('agrees with the loop at the end of an hour', async () => {
    const bounds = [-1, 0, 1].flatMap((off, i) => {
      const begin = (i + 1) * 10 * HOUR;
      return [quake(begin), quake(begin + 3 * HOUR + off), quake(begin + 1), quake(begin + HOUR - 1), quake(begin + HOUR)];
    });
    const outcome = await run({ cluster: memoryCluster(), quakes: bounds, outOfOrderness: hours(2), signal: never });
    expect(outcome?.verdict).toMatchObject({ late: 4, differences: [] });
  });

  it('ends with 1 when one quake was another hour than the loop knows', async () => {
    const earlier = (value: Quake): Quake => ({ ...value, time: value.time - HOUR });
    const cluster = writesWrongly(memoryCluster(), 0, earlier);
    const outcome = await run({ cluster, quakes, outOfOrderness: hours(6), signal: never });
    const { said, streams } = capture();
    expect(report([outcome!], streams)).toBe(1);
    expect(said.err).toMatch(new RegExp(`WRONG: [^]*6 h: ${quakes[0]!.region} `));
  });

  it('checks nothing when it is stopped before its end', async () => {
    await expect(run({ cluster: memoryCluster(), quakes, outOfOrderness: 0, signal: AbortSignal.abort() })).resolves.toBeUndefined();
  });
});
