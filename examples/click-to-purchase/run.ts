import { randomUUID } from 'node:crypto';
import type { Cluster } from 'millrace';
import { record } from 'millrace/testing';
import { runUntilCaughtUp } from '../until-caught-up';
import { withoutTrace } from '../without-trace';
import type { Click, Events, Purchase } from './events';
import { judge, type Verdict } from './oracle';
import { attributionWindow, clickToPurchase, type Attribution } from './topology';

const PARTITIONS = 4;

export interface CampaignConversion {
  readonly campaign: string;
  /** Those that nothing is said of yet are not among them. */
  readonly clicks: number;
  /** Clicks with at least one purchase within the hour. */
  readonly converted: number;
}

export interface Outcome {
  readonly verdict: Verdict;
  /** Most converting first. */
  readonly campaigns: readonly CampaignConversion[];
}

/** Runs the events through one application and checks what it gave. Undefined when the signal ended it before. */
export function run(options: {
  readonly cluster: Cluster;
  readonly events: Events;
  readonly signal: AbortSignal;
}): Promise<Outcome | undefined> {
  const { cluster, events, signal } = options;
  const applicationId = `click-to-purchase-${randomUUID().slice(0, 8)}`;
  const shop = clickToPurchase(applicationId);
  return withoutTrace({ ...shop, cluster, applicationId, partitions: PARTITIONS }, async (stateDirectory) => {
    await cluster.write(shop.clicks, recordsOf(events.clicks));
    await cluster.write(shop.purchases, recordsOf(events.purchases));
    await runUntilCaughtUp({ applicationId, cluster, stateDirectory, topology: shop.topology, signal });
    if (signal.aborted) return undefined;
    const attributions = (await cluster.read(shop.attributions)).map(({ value, timestamp }) => ({ ...value, timestamp }));
    const lateClicks = (await cluster.read(shop.lateClicks)).map(({ value }) => value);
    const latePurchases = (await cluster.read(shop.latePurchases)).map(({ value }) => value);
    const { after, grace } = attributionWindow;
    const rules = { partitions: PARTITIONS, afterMs: after, graceMs: grace };
    return { verdict: judge({ ...events, ...rules, attributions, lateClicks, latePurchases }), campaigns: byCampaign(attributions) };
  });
}

function* recordsOf<E extends Click | Purchase>(events: readonly E[]) {
  for (const event of events) yield record(event.user, event, event.timestamp);
}

function byCampaign(attributions: readonly Attribution[]): CampaignConversion[] {
  const campaigns = new Map<string, Map<number, boolean>>();
  for (const { click, purchase } of attributions) {
    const clicks = campaigns.get(click.campaign) ?? new Map<number, boolean>();
    campaigns.set(click.campaign, clicks.set(click.id, purchase !== null));
  }
  return [...campaigns]
    .map(([campaign, clicks]) => ({ campaign, clicks: clicks.size, converted: [...clicks.values()].filter(Boolean).length }))
    .sort((a, b) => b.converted / b.clicks - a.converted / a.clicks);
}
