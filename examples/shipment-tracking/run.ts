import { randomUUID } from 'node:crypto';
import type { Cluster } from 'millrace';
import { record } from 'millrace/testing';
import { runUntilCaughtUp } from '../until-caught-up';
import { withoutTrace } from '../without-trace';
import { judge, type Verdict } from './oracle';
import type { Traffic } from './shipments';
import { shipmentTracking, type NearestDepot, type Prediction } from './topology';

const PARTITIONS = 4;

export interface Outcome {
  readonly verdict: Verdict;
  readonly predictions: readonly Prediction[];
  /** How often somebody was asked; the other answers were in a cache. */
  readonly asked: number;
}

/** Runs the positions through one application and checks what it gave. Undefined when the signal ended it before. */
export function run(options: {
  readonly cluster: Cluster;
  readonly traffic: Traffic;
  readonly nearKm: number;
  readonly nearestDepot: NearestDepot;
  readonly signal: AbortSignal;
}): Promise<Outcome | undefined> {
  const { cluster, traffic, nearKm, nearestDepot, signal } = options;
  const applicationId = `shipment-tracking-${randomUUID().slice(0, 8)}`;
  let asked = 0;
  const tracking = shipmentTracking(applicationId, (cell, within) => {
    asked += 1;
    return nearestDepot(cell, within);
  });
  return withoutTrace({ ...tracking, cluster, applicationId, partitions: PARTITIONS }, async (stateDirectory) => {
    const positions = traffic.positions.map((position) => record(position.shipment, position, position.timestamp));
    await cluster.write(tracking.positions, positions);
    await runUntilCaughtUp({ applicationId, cluster, stateDirectory, topology: tracking.topology, signal });
    if (signal.aborted) return undefined;
    const predictions = (await cluster.read(tracking.predictions)).map(({ value }) => value);
    return { verdict: judge({ ...traffic, nearKm, predictions }), predictions, asked };
  });
}
