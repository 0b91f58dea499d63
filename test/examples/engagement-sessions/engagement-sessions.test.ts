import { clickStream, type Click } from '../../../examples/engagement-sessions/clicks';
import { judge, type Observed } from '../../../examples/engagement-sessions/oracle';
import { report } from '../../../examples/engagement-sessions/report';
import { run } from '../../../examples/engagement-sessions/run';
import { visit } from '../../../examples/engagement-sessions/topology';
import { memoryCluster } from '../../../src';
import { capture, writesWrongly } from '../planted-difference';

jest.setTimeout(60_000); // a busy machine

const never = new AbortController().signal;
const clicks = clickStream(1, 3_000);
const MINUTE = 60_000;

const click = (user: string, timestamp: number, page = '/'): Click => ({ user, page, timestamp });

describe('the click stream', () => {
  it('gives the same clicks for the same seed, others for another', () => {
    const asText = JSON.stringify(clicks);
    expect(JSON.stringify(clickStream(1, 3_000))).toBe(asText);
    expect(JSON.stringify(clickStream(2, 3_000))).not.toBe(asText);
  });

  it('has one click in ten or so behind a later one of the same user', () => {
    const latest = new Map<string, number>();
    let behind = 0;
    for (const { user, timestamp } of clicks) {
      if (timestamp < (latest.get(user) ?? 0)) behind += 1;
      else latest.set(user, timestamp);
    }
    expect(behind / clicks.length).toBeGreaterThan(0.05);
    expect(behind / clicks.length).toBeLessThan(0.15);
  });
});

/** Gap 10, grace 5: two sessions of a that a late click makes one; b's clicks make what is 15 behind them over. */
const right: Observed = {
  clicks: [click('a', 4, '/x'), click('a', 18, '/y'), click('a', 11, '/x'), click('b', 40), click('a', 24), click('a', 27), click('b', 60)],
  partitions: 1,
  gapMs: 10,
  graceMs: 5,
  sessions: [
    { user: 'a', start: 4, end: 18, clicks: 3, pages: ['/x', '/y'], durationMs: 14 },
    { user: 'a', start: 27, end: 27, clicks: 1, pages: ['/'], durationMs: 0 },
    { user: 'b', start: 40, end: 40, clicks: 1, pages: ['/'], durationMs: 0 },
  ],
  late: [click('a', 24)],
};

describe('the oracle of engagement-sessions', () => {
  it('finds nothing wrong with a right run', () => {
    const { differences, ...counts } = judge(right);
    expect(differences).toEqual([]);
    const inSessions = { sessions: 3, clicksInSessions: 5, late: 1 };
    expect(counts).toEqual({ ...inSessions, openSessions: 1, clicksInOpenSessions: 1, merges: 1, rescued: 0 });
  });

  it('takes exactly the gap for one session, and one more for two', () => {
    const one = { user: 'a', start: 0, end: 10, clicks: 2, pages: ['/'], durationMs: 10 };
    const of = (second: number) =>
      judge({ ...right, clicks: [click('a', 0), click('a', second), click('b', 100)], sessions: [one], late: [] });
    expect(of(10).differences).toEqual([]);
    expect(of(11).differences).toEqual([
      expect.stringMatching(/^a 1970.*00:00:00.000Z.*, 0 ms, 1 clicks on \/: missing/),
      expect.stringMatching(/^a 1970.*00:00:00.011Z.*, 0 ms, 1 clicks on \/: missing/),
      expect.stringMatching(/^a 1970.*00:00:00.010Z, 10 ms, 2 clicks on \/: should not be/),
    ]);
  });

  it('holds a session open until gap and grace have passed, and not longer', () => {
    const found = (now: number) => judge({ ...right, clicks: [click('a', 0), click('b', now), click('a', 0)], sessions: [], late: [] });
    expect(found(15)).toMatchObject({ openSessions: 2, clicksInOpenSessions: 3, differences: [] });
    expect(found(16).differences).toEqual([
      expect.stringMatching(/^a .* 1 clicks on \/: missing/),
      expect.stringMatching(/^a at \/ 1970-01-01T00:00:00.000Z was late, but is not/),
      expect.stringMatching(/^3 clicks written, .* = 1$/),
    ]);
  });

  it('takes a click that would be late by itself into a session that is not over', () => {
    const sessions = [{ user: 'a', start: 4, end: 12, clicks: 2, pages: ['/'], durationMs: 8 }];
    const rescuing = { ...right, clicks: [click('a', 12), click('b', 25), click('a', 4), click('b', 50)], sessions, late: [] };
    expect(judge(rescuing)).toMatchObject({
      rescued: 1,
      late: 0,
      differences: [expect.stringMatching(/^b .*: missing$/), expect.any(String)],
    });
  });

  it.each<[string, Partial<Observed>, RegExp[]]>([
    [
      'a session of another length',
      { sessions: right.sessions.map((session) => (session.start === 4 ? { ...session, durationMs: 17 } : session)) },
      [/^a .*, 14 ms, 3 clicks on \/x \/y: missing$/, /^a .*, 17 ms, 3 clicks on \/x \/y: should not be$/],
    ],
    ['a session twice', { sessions: [...right.sessions, right.sessions[2]!] }, [/^b .*: should not be$/, /^7 clicks written, .* = 8$/]],
    ['a session that is missing', { sessions: right.sessions.slice(1) }, [/^a .*: missing$/, /^7 clicks written, .* = 4$/]],
    ['a late click that is missing', { late: [] }, [/^a at \/ 1970-01-01T00:00:00.024Z was late, but is not/, /= 6$/]],
    ['a click that was not late', { late: [click('a', 24), click('a', 11, '/x')] }, [/^a at \/x .*011Z is among the late ones/, /= 8$/]],
  ])('finds %s', (_what, wrong, expected) => {
    const { differences } = judge({ ...right, ...wrong });
    expect(differences).toEqual(expected.map((pattern) => expect.stringMatching(pattern) as unknown));
  });
});

describe('engagement-sessions', () => {
  it('gives what a plain loop gives, reports in a few lines and ends with 0', async () => {
    const outcome = await run({ cluster: memoryCluster(), clicks, signal: never });
    expect(outcome?.verdict.differences).toEqual([]);
    expect(outcome?.verdict.sessions).toBeGreaterThan(100);
    for (const happens of ['late', 'merges', 'rescued', 'openSessions'] as const) expect(outcome?.verdict[happens]).toBeGreaterThan(0);
    const { said, streams } = capture();
    expect(report(outcome!, streams)).toBe(0);
    expect(said.out.split('\n').length).toBeLessThan(15);
    expect(said.out).toMatch(/checked: a plain loop/);
  });

  it('agrees with the loop at every bound: the gap, the grace and the last instant of a session', async () => {
    const { gap, grace } = visit;
    const at = [0, gap, gap + 1, gap + grace, gap + grace + 1].flatMap((ahead) =>
      [0, 1, gap, gap + 1, gap + grace, gap + grace + 1].map((behind) => [ahead, behind] as const),
    );
    const hour = 60 * MINUTE;
    // The same user clicks, the time passes by `ahead`, and a click comes `behind` that; everything of one user, so in one partition.
    const bounds = at.flatMap(([ahead, behind], i) => {
      const begin = (i + 1) * 10 * hour;
      return [
        click('a', begin),
        click('a', begin + ahead),
        click('a', begin + ahead - behind),
        click('a', begin),
        click('a', begin + 2 * gap),
      ];
    });
    const outcome = await run({ cluster: memoryCluster(), clicks: [...bounds, click('a', 1_000 * hour)], signal: never });
    expect(outcome?.verdict.differences).toEqual([]);
    expect(outcome?.verdict.late).toBeGreaterThan(0);
    expect(outcome?.verdict.merges).toBeGreaterThan(0);
  });

  it('ends with 1 when one click was made at another time than the loop knows', async () => {
    const later = (value: Click): Click => ({ ...value, timestamp: value.timestamp + 1 });
    // It begins a session.
    const first = clicks.findIndex(({ user }) => user === 'user-7');
    const outcome = await run({ cluster: writesWrongly(memoryCluster(), first, later), clicks, signal: never });
    const { said, streams } = capture();
    expect(report(outcome!, streams)).toBe(1);
    expect(said.err).toMatch(/WRONG: 2 differences[^]* {2}user-7 .*: missing\n {2}user-7 .*: should not be\n/);
  });

  it('checks nothing when it is stopped before its end', async () => {
    await expect(run({ cluster: memoryCluster(), clicks, signal: AbortSignal.abort() })).resolves.toBeUndefined();
  });
});
