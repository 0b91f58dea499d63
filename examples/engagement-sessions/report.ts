import { reportComparison } from '../comparison';
import type { Outcome } from './run';

const SHOWN = 5;

/** Gives the exit code: 0 only if a plain loop gave the same. */
export function report({ verdict, sessions }: Outcome, streams: Parameters<typeof reportComparison>[1]): 0 | 1 {
  const { out } = streams;
  const minutes = sessions.reduce((sum, { durationMs }) => sum + durationMs / 60_000, 0) / sessions.length;
  const clicks = verdict.clicksInSessions / sessions.length;
  out.write(`${verdict.sessions} sessions, ${minutes.toFixed(1)} min and ${clicks.toFixed(1)} clicks on average\n`);
  out.write(`${verdict.clicksInSessions} clicks in them, ${verdict.late} too late, ${verdict.clicksInOpenSessions} in `);
  out.write(`${verdict.openSessions} sessions that are not over\n`);
  out.write(`${verdict.merges} clicks came late and made two sessions one, ${verdict.rescued} were saved by a session they belong to\n\n`);
  out.write('  longest   begin             minutes  clicks  pages\n');
  const longest = [...sessions].sort((a, b) => b.durationMs - a.durationMs);
  for (const session of longest.slice(0, SHOWN)) {
    const begin = new Date(session.start).toISOString().slice(0, 16).replace('T', ' ');
    const counts = [
      (session.durationMs / 60_000).toFixed(0).padStart(7),
      String(session.clicks).padStart(6),
      String(session.pages.length).padStart(5),
    ];
    out.write(`  ${session.user.padEnd(8)}  ${begin}  ${counts.join('  ')}\n`);
  }
  out.write('\n');
  return reportComparison(verdict.differences, streams);
}
