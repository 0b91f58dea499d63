/** Parts of the simulation: its disks, what it counts, and which awaits it cuts. */
import { Chance } from '../../scripts/simulate/chance';
import { AT_ANY_TIME, CUTS, CutPlan, type DirectedCut, noCounts, type SiteCount } from '../../scripts/simulate/cuts';
import { Disk, type DiskFault } from '../../scripts/simulate/disk';
import type { AwaitSite } from '../../scripts/simulate/instrument';
import { Pursuit } from '../../scripts/simulate/pursuit';
import type { SeedReport } from '../../scripts/simulate/seeds';
import { Totals } from '../../scripts/simulate/totals';
import { manualClock, type ManualClock } from '../../src/time/manual-clock';

describe('a simulated disk', () => {
  const key = Uint8Array.of(1);
  const put = [{ type: 'put', key, value: Uint8Array.of(7) }] as const;
  let clock: ManualClock;
  let disk: Disk;
  let isAlive: boolean;
  let fault: DiskFault | undefined;

  const opener = (): ReturnType<Disk['opener']> =>
    disk.opener({ clock, fault: (isWrite) => (isWrite ? fault : undefined), isAlive: () => isAlive });

  async function settled<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const watched = promise.finally(() => (isSettled = true));
    watched.catch(() => undefined);
    for (let turns = 0; turns < 10_000 && !isSettled; turns++) await clock.advance(1);
    return watched;
  }

  beforeEach(() => {
    clock = manualClock();
    disk = new Disk(0);
    isAlive = true;
    fault = undefined;
  });

  it('opens a folder once at a time, and again when it was closed', async () => {
    const bytes = await settled(opener()('p0/task-0'));
    await expect(settled(opener()('p0/task-0'))).rejects.toMatchObject({ code: 'SLOT_IN_USE' });
    await settled(bytes.close());
    await expect(settled(opener()('p0/task-0'))).resolves.toBeDefined();
  });

  it('lets go of what a process had open that has died, with what was written by then', async () => {
    const bytes = await settled(opener()('p0/task-0'));
    await settled(bytes.write(put));
    isAlive = false;
    const again = await settled(disk.opener({ clock, fault: () => undefined, isAlive: () => true })('p0/task-0', { waitMs: 0 }));
    expect(again.get(key)).toEqual(put[0].value);
  });

  it('takes nothing of a write that it refuses, nor of one that was handed over behind it', async () => {
    const bytes = await settled(opener()('p0/task-0'));
    fault = 'refused';
    const first = bytes.write(put);
    fault = undefined;
    const second = bytes.write(put);
    const outcomes = await settled(Promise.allSettled([first, second]));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(bytes.get(key)).toBeUndefined();
  });

  it('cannot read a corrupted folder until that is removed', async () => {
    const bytes = await settled(opener()('p0/task-0'));
    fault = 'corrupted';
    await expect(settled(bytes.write(put))).rejects.toMatchObject({ code: 'STATE_CORRUPTED' });
    expect(() => bytes.get(key)).toThrow('cannot read');
    await settled(bytes.close());
    await expect(settled(opener()('p0/task-0'))).rejects.toMatchObject({ code: 'STATE_CORRUPTED' });
    disk.remove('p0/task-0');
    await expect(settled(opener()('p0/task-0'))).resolves.toBeDefined();
  });

  it('does not remove a folder that is open', async () => {
    const bytes = await settled(opener()('p0/task-0'));
    expect(disk.removeUnused('p0/task-0')).toBe(false);
    await settled(bytes.close());
    expect(disk.removeUnused('p0/task-0')).toBe(true);
    expect(disk.foldersIn('p0/')).toEqual([]);
  });
});

describe('what a simulation counts', () => {
  const sites: AwaitSite[] = [
    { file: 'src/kafka/some.ts', line: 3, what: 'close: this.port.close()' },
    { file: 'src/kafka/some.ts', line: 9, what: 'open: this.port.open()' },
  ];
  const report = (counts: readonly (readonly [number, SiteCount])[], seed = 1): SeedReport => ({
    ...{ order: { seed }, program: 'any', violations: [], hash: 'a', requests: 3, time: 60_000, sites: counts },
    ...{ events: { 'broker died': 2 }, story: [], gaveUp: [] },
  });

  it('names what was never reached, and what was and never cut', () => {
    const totals = new Totals(sites, []);
    totals.add(report([[0, { ...noCounts(), reached: 4 }]]));
    expect(totals.summary()).toContain('2 awaits in reach, 1 of them never reached, 1 reached and never cut; 0 out of reach');
    expect(totals.summary()).toContain('never cut:      src/kafka/some.ts:3 close: this.port.close()');
    expect(totals.summary()).toContain('besides: broker died 2');
  });

  it('holds whoever says that an await is out of reach to it', () => {
    const totals = new Totals(sites, [{ file: 'src/kafka/some.ts', within: 'close: ', because: 'nobody closes' }]);
    totals.add(report([[1, { ...noCounts(), reached: 1 }]]));
    expect(totals.reachedAfterAll).toEqual([]);
    totals.add(report([[0, { ...noCounts(), reached: 1 }]]));
    expect(totals.reachedAfterAll).toMatchObject([{ within: 'close: ' }]);
  });
});

describe('awaits that no seed has cut', () => {
  const sites: AwaitSite[] = ['open: a', 'close: b', 'clear: c'].map((what, at) => ({ file: 'src/state/some.ts', line: at, what }));
  const counts = (cuts: number): SiteCount => ({ reached: 1, cuts: { ...noCounts().cuts, crash: cuts } });
  const totals = new Totals(sites, []);
  beforeAll(() => {
    const rest = { program: 'any', violations: [], hash: 'a', requests: 3, time: 60_000, events: {}, story: [], gaveUp: [] };
    totals.add({
      ...rest,
      order: { seed: 9 },
      sites: [
        [0, counts(1)],
        [1, counts(0)],
      ],
    });
    totals.add({ ...rest, order: { seed: 5 }, sites: [[1, counts(0)]] });
  });

  it('are cut in runs of the seeds that came to them', () => {
    const pursuit = new Pursuit([]);
    expect(pursuit.next(totals.inReach)).toEqual([5, 9].map((seed) => ({ seed, cuts: [{ site: 1 }] })));
    expect(pursuit.next(totals.inReach)).toEqual([]);
  });

  it('and that none came to are looked for by what leads to them', () => {
    const leads = [{ to: 'src/state/some.ts clear: ', from: 'src/state/some.ts open: ', cut: 'disk' as const }];
    expect(new Pursuit(leads).next(totals.inReach)).toContainEqual({ seed: 9, cuts: [{ site: 0, cut: 'disk' }] });
  });
});

describe('which awaits are cut', () => {
  const planOf = (seed: number, now: number, directed: readonly DirectedCut[] = [], eagerness = 1): CutPlan =>
    new CutPlan({
      ...{ directed, eagerness },
      chance: new Chance(seed),
      now: () => now,
      files: Array.from({ length: 1_000 }, () => 'src/a.ts'),
    });
  const cutsOf = (seed: number, now: number): Map<number, number> => {
    const plan = planOf(seed, now);
    for (let turn = 0; turn < 200; turn++) for (let site = 0; site < 20; site++) plan.at(site);
    return new Map([...plan.sites].map(([site, { cuts }]) => [site, CUTS.reduce((sum, cut) => sum + cuts[cut], 0)]));
  };

  it('follows from the seed', () => {
    expect(cutsOf(7, 0)).toEqual(cutsOf(7, 0));
  });

  it('are more of those that are reached late in a run', () => {
    const sum = (now: number): number =>
      Array.from({ length: 20 }, (_, seed) => [...cutsOf(seed, now).values()].reduce((a, b) => a + b, 0)).reduce((a, b) => a + b, 0);
    expect(sum(10_000)).toBeGreaterThan(sum(0));
  });

  it('are none once it is over', () => {
    const plan = planOf(1, 10_000, [{ site: 3, cut: 'lost' }], 3);
    plan.isOver = true;
    for (let site = 0; site < 1_000; site++) expect(plan.at(site)).toBeUndefined();
    expect(plan.sites.size).toBe(1_000);
  });

  it('are, once it is over, of those asked for the ones that a run recovers from by itself', () => {
    const plan = planOf(1, 10_000, [{ site: 3 }], 3);
    plan.isOver = true;
    expect(AT_ANY_TIME).toContain(plan.at(3));
  });

  it('are those that were asked for, one after the other, and until then those of the seed', () => {
    const [plan, without] = [planOf(1, 0, [{ site: 4, cut: 'crash' }, { site: 2 }], 0), planOf(1, 0, [], 0)];
    const [cuts, cutsWithout] = [plan, without].map((each) => [2, 4, 4, 2, 2].map((site) => each.at(site)));
    expect(cuts).toEqual([undefined, 'crash', undefined, expect.any(String), undefined]);
    expect(cutsWithout).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });
});
