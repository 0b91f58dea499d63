/**
 * Checks a run with a plain loop over the same clicks: it needs only their order and each one's partition. A session is kept as the list of
 * its clicks; everything said of it is computed from that list. Nothing of the library, nothing of the topology.
 */
import { javaPartition } from '../java-partition';
import type { Click } from './clicks';

interface Session {
  readonly user: string;
  /** Of its first click, ms since the epoch. */
  readonly start: number;
  /** Of its last click. */
  readonly end: number;
  readonly clicks: number;
  readonly pages: readonly string[];
  readonly durationMs: number;
}

export interface Observed {
  /** In the order of writing. */
  readonly clicks: readonly Click[];
  readonly partitions: number;
  readonly gapMs: number;
  readonly graceMs: number;
  readonly sessions: readonly Session[];
  readonly late: readonly Click[];
}

export interface Verdict {
  /** What the run gave. */
  readonly sessions: number;
  readonly clicksInSessions: number;
  readonly late: number;
  /** Not given by the run, since no click came that would have ended them. */
  readonly openSessions: number;
  readonly clicksInOpenSessions: number;
  /** Clicks that came after those around them and made two sessions one. */
  readonly merges: number;
  /** Clicks that were too late by themselves, but belong to a session that was not over. */
  readonly rescued: number;
  /** Empty when everything is as it must be. */
  readonly differences: readonly string[];
}

export function judge(observed: Observed): Verdict {
  const { sessions, late } = observed;
  const expected = sessionsOf(observed);
  const differences = [
    ...onlyInFirst(expected.closed.map(shown), sessions.map(shown)).map((session) => `${session}: missing`),
    ...onlyInFirst(sessions.map(shown), expected.closed.map(shown)).map((session) => `${session}: should not be`),
    ...onlyInFirst(expected.late.map(named), late.map(named)).map((click) => `${click} was late, but is not among the late ones`),
    ...onlyInFirst(late.map(named), expected.late.map(named)).map((click) => `${click} is among the late ones, but was not late`),
  ];
  const clicksInSessions = total(sessions);
  const clicksInOpenSessions = total(expected.open);
  const found = clicksInSessions + late.length + clicksInOpenSessions;
  if (found !== observed.clicks.length) {
    differences.push(`${observed.clicks.length} clicks written, but in sessions + late + in open sessions = ${found}`);
  }
  const { merges, rescued } = expected;
  const counts = {
    sessions: sessions.length,
    clicksInSessions,
    late: late.length,
    openSessions: expected.open.length,
    clicksInOpenSessions,
  };
  return { ...counts, merges, rescued, differences };
}

interface Expected {
  readonly closed: readonly Session[];
  readonly open: readonly Session[];
  readonly late: readonly Click[];
  readonly merges: number;
  readonly rescued: number;
}

/**
 * A session is over when its last click lies more than gap + grace before the latest time its partition has seen. A click joins all
 * sessions of its user that are not over and at most the gap away; it is late if the session it would make is over.
 */
function sessionsOf({ clicks, partitions, gapMs, graceMs }: Observed): Expected {
  const latest = new Array<number>(partitions).fill(-1);
  const ofUser = new Map<string, Click[][]>();
  const late: Click[] = [];
  let [merges, rescued] = [0, 0];
  for (const click of clicks) {
    const { user, timestamp } = click;
    const partition = javaPartition(user, partitions);
    latest[partition] = Math.max(latest[partition]!, timestamp);
    const openFrom = latest[partition] - gapMs - graceMs;

    const sessions = ofUser.get(user) ?? [];
    const near = (session: Click[]): boolean =>
      last(session) >= openFrom && timestamp >= first(session) - gapMs && timestamp <= last(session) + gapMs;
    const met = sessions.filter(near);
    const joined = [...met.flat(), click];
    if (last(joined) < openFrom) {
      late.push(click);
      continue;
    }
    if (met.length > 1) merges += 1;
    if (timestamp < openFrom) rescued += 1;
    ofUser.set(user, [...sessions.filter((session) => !met.includes(session)), joined]);
  }

  const [closed, open]: [Session[], Session[]] = [[], []];
  for (const session of [...ofUser.values()].flat()) {
    const openFrom = latest[javaPartition(session[0]!.user, partitions)]! - gapMs - graceMs;
    (last(session) < openFrom ? closed : open).push(described(session));
  }
  return { closed, open, late, merges, rescued };
}

function described(clicks: readonly Click[]): Session {
  const [start, end] = [first(clicks), last(clicks)];
  const pages = [...new Set(clicks.map(({ page }) => page))].sort();
  return { user: clicks[0]!.user, start, end, clicks: clicks.length, pages, durationMs: end - start };
}

function first(clicks: readonly Click[]): number {
  return Math.min(...clicks.map(({ timestamp }) => timestamp));
}

function last(clicks: readonly Click[]): number {
  return Math.max(...clicks.map(({ timestamp }) => timestamp));
}

function total(sessions: readonly Session[]): number {
  return sessions.reduce((sum, { clicks }) => sum + clicks, 0);
}

/** What is in the first list more often than in the second. */
function onlyInFirst(a: readonly string[], b: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of b) left.set(line, (left.get(line) ?? 0) + 1);
  return a.filter((line) => {
    const times = left.get(line) ?? 0;
    left.set(line, times - 1);
    return times <= 0;
  });
}

function named({ user, page, timestamp }: Click): string {
  return `${user} at ${page} ${new Date(timestamp).toISOString()}`;
}

function shown({ user, start, end, clicks, pages, durationMs }: Session): string {
  const bounds = `${new Date(start).toISOString()} to ${new Date(end).toISOString()}`;
  return `${user} ${bounds}, ${durationMs} ms, ${clicks} clicks on ${pages.join(' ')}`;
}
