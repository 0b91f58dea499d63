import { shopEvents, type Click, type Purchase } from '../../../examples/click-to-purchase/events';
import { judge, type Observed } from '../../../examples/click-to-purchase/oracle';
import { report } from '../../../examples/click-to-purchase/report';
import { run } from '../../../examples/click-to-purchase/run';
import { attributionWindow } from '../../../examples/click-to-purchase/topology';
import { memoryCluster } from '../../../src';
import { capture, writesWrongly } from '../planted-difference';

jest.setTimeout(60_000); // a busy machine

const never = new AbortController().signal;
const events = shopEvents(1, 3_000);

const click = (id: number, timestamp: number, user = 'a'): Click => ({ id, user, campaign: 'search', timestamp });
const purchase = (id: number, timestamp: number, user = 'a'): Purchase => ({ id, user, cents: 5, timestamp });

describe('the events of the shop', () => {
  it('are the same for the same seed, others for another', () => {
    const asText = JSON.stringify(events);
    expect(JSON.stringify(shopEvents(1, 3_000))).toBe(asText);
    expect(JSON.stringify(shopEvents(2, 3_000))).not.toBe(asText);
  });

  it('arrive out of order', () => {
    for (const list of [events.clicks, events.purchases]) {
      const times = list.map(({ timestamp }) => timestamp);
      expect(times).not.toEqual([...times].sort((a, b) => a - b));
    }
  });
});

/** An hour of 10, a grace of 5: a pair, a click alone, one of each late, a purchase that would be that of the late click, an open click. */
const right: Observed = {
  clicks: [click(0, 0), click(1, 30), click(2, 14), click(3, 46)],
  purchases: [purchase(0, 10), purchase(1, 0), purchase(2, 24), purchase(3, 47, 'b')],
  partitions: 1,
  afterMs: 10,
  graceMs: 5,
  attributions: [
    { click: click(0, 0), purchase: purchase(0, 10), timestamp: 10 },
    { click: click(1, 30), purchase: null, timestamp: 30 },
    { click: click(2, 14), purchase: null, timestamp: 14 },
  ],
  lateClicks: [click(2, 14)],
  latePurchases: [purchase(1, 0)],
};

describe('the oracle of click-to-purchase', () => {
  it('finds nothing wrong with a right run', () => {
    expect(judge(right)).toEqual({ pairs: 1, alone: 2, lateClicks: 1, latePurchases: 1, open: 1, differences: [] });
  });

  it.each<[string, Partial<Observed>, RegExp[]]>([
    [
      'a pair with another purchase',
      { attributions: [{ ...right.attributions[0]!, purchase: purchase(9, 10) }, ...right.attributions.slice(1)] },
      [/^click 0 of a .* purchase 0 of a .*: missing$/, /^click 0 of a .* purchase 9 of a .*: should not be$/],
    ],
    [
      'a pair with another time',
      { attributions: [{ ...right.attributions[0]!, timestamp: 0 }, ...right.attributions.slice(1)] },
      [/given at 10: missing$/, /given at 0: should not be$/],
    ],
    [
      'a click that came out twice',
      { attributions: [...right.attributions, right.attributions[1]!] },
      [/^click 1 .* no purchase.*: should not be$/],
    ],
    ['a click that is missing', { attributions: right.attributions.slice(0, 2) }, [/^click 2 .* no purchase.*: missing$/, /= 3$/]],
    ['a late click that is missing', { lateClicks: [] }, [/^click 2 .* was late, but is not among/]],
    [
      'a purchase that was not late',
      { latePurchases: [...right.latePurchases, purchase(0, 10)] },
      [/^purchase 0 .* among the late ones, but was not late$/],
    ],
  ])('finds %s', (_what, wrong, expected) => {
    const { differences } = judge({ ...right, ...wrong });
    expect(differences).toEqual(expected.map((pattern) => expect.stringMatching(pattern) as unknown));
  });
});

describe('click-to-purchase', () => {
  it('gives what a plain loop gives, reports in a few lines and ends with 0', async () => {
    const outcome = await run({ cluster: memoryCluster(), events, signal: never });
    expect(outcome?.verdict.differences).toEqual([]);
    for (const happens of ['pairs', 'alone', 'lateClicks', 'latePurchases', 'open'] as const) {
      expect(outcome?.verdict[happens]).toBeGreaterThan(10);
    }
    const { said, streams } = capture();
    expect(report(outcome!, streams)).toBe(0);
    expect(said.out.split('\n').length).toBeLessThan(15);
    expect(said.out).toMatch(/checked: a plain loop/);
  });

  it('agrees with the loop at every bound: the end of the hour, of the grace, and one before and after', async () => {
    const { after, grace } = attributionWindow;
    const bounds = [0, grace, after, after + grace].flatMap((bound) => [bound - 1, bound, bound + 1]);
    // Event time passes by `ahead` after a click; then a purchase and another click come, each `behind` that.
    const cases = bounds.flatMap((ahead) => bounds.map((behind) => ({ ahead, behind })));
    const begins = cases.map((bound, i) => ({ ...bound, begin: (i + 1) * 10 * after }));
    const clicks = begins.flatMap(({ ahead, behind, begin }, i) => [
      click(3 * i, begin),
      click(3 * i + 1, begin + ahead, 'a'),
      click(3 * i + 2, begin + ahead - behind),
    ]);
    const purchases = begins.flatMap(({ ahead, behind, begin }, i) => [
      purchase(2 * i, begin + ahead),
      purchase(2 * i + 1, begin + ahead - behind),
    ]);
    const outcome = await run({ cluster: memoryCluster(), events: { clicks, purchases }, signal: never });
    expect(outcome?.verdict.differences).toEqual([]);
    for (const happens of ['pairs', 'alone', 'lateClicks', 'latePurchases'] as const) {
      expect(outcome?.verdict[happens]).toBeGreaterThan(0);
    }
  });

  it('ends with 1 when one click was made at another time than the loop knows', async () => {
    const later = (value: Click | Purchase): Click | Purchase =>
      'campaign' in value ? { ...value, timestamp: value.timestamp + 1 } : value;
    const outcome = await run({ cluster: writesWrongly(memoryCluster(), 0, later), events, signal: never });
    const { said, streams } = capture();
    expect(report(outcome!, streams)).toBe(1);
    expect(said.err).toMatch(new RegExp(`WRONG: [^]* {2}click ${events.clicks[0]!.id} of .*: missing\n`));
  });

  it('checks nothing when it is stopped before its end', async () => {
    await expect(run({ cluster: memoryCluster(), events, signal: AbortSignal.abort() })).resolves.toBeUndefined();
  });
});
