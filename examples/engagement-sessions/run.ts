import { randomUUID } from 'node:crypto';
import type { Cluster } from 'millrace';
import { record } from 'millrace/testing';
import { runUntilCaughtUp } from '../until-caught-up';
import { withoutTrace } from '../without-trace';
import type { Click } from './clicks';
import { judge, type Verdict } from './oracle';
import { engagementSessions, visit } from './topology';

export const PARTITIONS = 4;

export interface Session {
  readonly user: string;
  readonly start: number;
  readonly end: number;
  readonly clicks: number;
  readonly pages: readonly string[];
  readonly durationMs: number;
}

export interface Outcome {
  readonly verdict: Verdict;
  readonly sessions: readonly Session[];
}

/** Runs the clicks through one application and checks what it gave. Undefined when the signal ended it before. */
export function run(options: {
  readonly cluster: Cluster;
  readonly clicks: readonly Click[];
  readonly signal: AbortSignal;
}): Promise<Outcome | undefined> {
  const { cluster, clicks, signal } = options;
  const applicationId = `engagement-sessions-${randomUUID().slice(0, 8)}`;
  const engagement = engagementSessions(applicationId);
  return withoutTrace({ ...engagement, cluster, applicationId, partitions: PARTITIONS }, async (stateDirectory) => {
    await cluster.write(engagement.clicks, recordsOf(clicks));
    await runUntilCaughtUp({ applicationId, cluster, stateDirectory, topology: engagement.topology, signal });
    if (signal.aborted) return undefined;
    const sessions = (await cluster.read(engagement.sessions)).map(({ key: { key, start, end }, value }) => ({
      user: key,
      start,
      end,
      ...value,
    }));
    const late = (await cluster.read(engagement.lateClicks)).map(({ value }) => value);
    const verdict = judge({ clicks, partitions: PARTITIONS, gapMs: visit.gap, graceMs: visit.grace, sessions, late });
    return { verdict, sessions };
  });
}

function* recordsOf(clicks: readonly Click[]) {
  for (const click of clicks) yield record(click.user, click, click.timestamp);
}
