import { randomUUID } from 'node:crypto';
import type { Cluster, Duration } from 'millrace';
import { record } from 'millrace/testing';
import { runUntilCaughtUp } from '../until-caught-up';
import { withoutTrace } from '../without-trace';
import { judge, type Verdict } from './oracle';
import type { Quake } from './quakes';
import { earthquakes } from './topology';

export const PARTITIONS = 4;

export interface RegionActivity {
  readonly region: string;
  readonly quakes: number;
  /** The greatest magnitude. */
  readonly strongest: number;
}

export interface Outcome {
  readonly outOfOrderness: Duration;
  readonly verdict: Verdict;
  /** Over all hours that are over, most quakes first. */
  readonly regions: readonly RegionActivity[];
}

/** Runs the quakes through one application and checks what it gave. Undefined when the signal ended it before. */
export function run(options: {
  readonly cluster: Cluster;
  readonly quakes: readonly Quake[];
  readonly outOfOrderness: Duration;
  readonly signal: AbortSignal;
}): Promise<Outcome | undefined> {
  const { cluster, quakes, outOfOrderness, signal } = options;
  const applicationId = `earthquakes-${randomUUID().slice(0, 8)}`;
  const seismic = earthquakes(applicationId, outOfOrderness);
  return withoutTrace({ ...seismic, cluster, applicationId, partitions: PARTITIONS }, async (stateDirectory) => {
    await cluster.write(seismic.quakes, recordsOf(quakes));
    await runUntilCaughtUp({ applicationId, cluster, stateDirectory, topology: seismic.topology, signal });
    if (signal.aborted) return undefined;
    const activity = (await cluster.read(seismic.activity)).map(({ key, value }) => ({ region: key.key, hour: key.start, ...value }));
    const late = (await cluster.read(seismic.lateQuakes)).map(({ value }) => value);
    const verdict = judge({ quakes, partitions: PARTITIONS, outOfOrdernessMs: outOfOrderness, activity, late });
    return { outOfOrderness, verdict, regions: byRegion(activity) };
  });
}

function* recordsOf(quakes: readonly Quake[]) {
  for (const quake of quakes) yield record(quake.region, quake, quake.updated);
}

function byRegion(activity: readonly RegionActivity[]): RegionActivity[] {
  const regions = new Map<string, RegionActivity>();
  for (const { region, quakes, strongest } of activity) {
    const sum = regions.get(region) ?? { region, quakes: 0, strongest: -Infinity };
    regions.set(region, { region, quakes: sum.quakes + quakes, strongest: Math.max(sum.strongest, strongest) });
  }
  return [...regions.values()].sort((a, b) => b.quakes - a.quakes);
}
