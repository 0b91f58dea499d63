import { randomUUID } from 'node:crypto';
import type { Cluster } from 'millrace';
import { record } from 'millrace/testing';
import { runUntilCaughtUp } from '../until-caught-up';
import { withoutTrace } from '../without-trace';
import { judge, type Verdict } from './oracle';
import type { Day } from './orders';
import { orderEnrichment, type EnrichedOrder } from './topology';

const PARTITIONS = 4;

export interface Outcome {
  readonly verdict: Verdict;
  readonly enriched: readonly EnrichedOrder[];
}

/** Runs the day through one application and checks what it gave. Undefined when the signal ended it before. */
export function run(options: { readonly cluster: Cluster; readonly day: Day; readonly signal: AbortSignal }): Promise<Outcome | undefined> {
  const { cluster, day, signal } = options;
  const applicationId = `order-enrichment-${randomUUID().slice(0, 8)}`;
  const enrichment = orderEnrichment(applicationId);
  return withoutTrace({ ...enrichment, cluster, applicationId, partitions: PARTITIONS }, async (stateDirectory) => {
    const catalogue = [...day.catalogue].map(([id, product]) => record(id, product, 0));
    const changes = day.profileChanges.map(({ customer, profile, at }) => record(customer, profile, at));
    const orders = day.orders.map((order) => record(order.customer, order, order.placedAt));
    await cluster.write(enrichment.products, catalogue);
    await cluster.write(enrichment.profiles, changes);
    await cluster.write(enrichment.orders, orders);
    await runUntilCaughtUp({ applicationId, cluster, stateDirectory, topology: enrichment.topology, signal });
    if (signal.aborted) return undefined;
    const enriched = (await cluster.read(enrichment.enrichedOrders)).map(({ value }) => value);
    const unlisted = (await cluster.read(enrichment.unlistedOrders)).map(({ value }) => value);
    return { verdict: judge({ ...day, enriched, unlisted }), enriched };
  });
}
