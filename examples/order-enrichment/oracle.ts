/**
 * Checks a run with a plain loop over the same day: each order with the customer's last profile that is not younger than the order, and
 * with the catalogue's product. It needs no partitions: orders and profiles are in the order of their times, so it does not matter how they
 * are spread. Nothing of the library, nothing of the topology.
 */
import { onlyInFirst } from '../only-in-first';
import type { Day, Order, Profile } from './orders';

interface EnrichedOrder {
  readonly id: number;
  readonly customer: string;
  readonly city: string | null;
  readonly tier: string | null;
  readonly title: string;
  readonly category: string;
  readonly cents: number;
}

export interface Observed extends Day {
  /** In the order of each partition. */
  readonly enriched: readonly EnrichedOrder[];
  readonly unlisted: readonly Order[];
}

export interface Verdict {
  /** What the run enriched. */
  readonly enriched: number;
  /** Those of customers who had no profile. */
  readonly withoutProfile: number;
  /** Orders of products that are not in the catalogue. */
  readonly unlisted: number;
  /** Enriched orders whose customers have another profile, or none, at the end of the day. */
  readonly changedSince: number;
  /** Empty when everything is as it must be. */
  readonly differences: readonly string[];
}

export function judge(observed: Observed): Verdict {
  const { orders, enriched, unlisted } = observed;
  const expected = enrich(observed);
  const differences = [
    ...onlyInFirst(expected.enriched.map(shown), enriched.map(shown)).map((order) => `${order}: missing`),
    ...onlyInFirst(enriched.map(shown), expected.enriched.map(shown)).map((order) => `${order}: should not be`),
    ...onlyInFirst(expected.unlisted.map(named), unlisted.map(named)).map((order) => `${order} is unlisted, but not among those`),
    ...onlyInFirst(unlisted.map(named), expected.unlisted.map(named)).map((order) => `${order} is among the unlisted ones, but is none`),
    ...outOfOrder(enriched).map((order) => `${shown(order)}: behind a later order of the same customer`),
  ];
  const found = enriched.length + unlisted.length;
  if (found !== orders.length) differences.push(`${orders.length} orders written, but enriched + unlisted = ${found}`);
  const withoutProfile = enriched.filter(({ tier }) => tier === null).length;
  return { enriched: enriched.length, withoutProfile, unlisted: unlisted.length, changedSince: expected.changedSince, differences };
}

function enrich({ orders, profileChanges, catalogue }: Day): { enriched: EnrichedOrder[]; unlisted: Order[]; changedSince: number } {
  const last = new Map(profileChanges.map(({ customer, profile }) => [customer, profile]));
  const profiles = new Map<string, Profile | null>();
  const enriched: EnrichedOrder[] = [];
  const unlisted: Order[] = [];
  let [next, changedSince] = [0, 0];
  for (const order of orders) {
    for (let change = profileChanges[next]; change !== undefined && change.at <= order.placedAt; change = profileChanges[next]) {
      profiles.set(change.customer, change.profile);
      next += 1;
    }
    const product = catalogue.get(order.product);
    if (product === undefined) {
      unlisted.push(order);
      continue;
    }
    const profile = profiles.get(order.customer) ?? null;
    if (profile !== (last.get(order.customer) ?? null)) changedSince += 1;
    const { id, customer } = order;
    const full = order.quantity * product.cents;
    const cents = profile?.tier === 'gold' ? Math.ceil((full * 9) / 10) : full;
    const { title, category } = product;
    enriched.push({ id, customer, city: profile?.city ?? null, tier: profile?.tier ?? null, title, category, cents });
  }
  return { enriched, unlisted, changedSince };
}

function outOfOrder(enriched: readonly EnrichedOrder[]): EnrichedOrder[] {
  const latest = new Map<string, number>();
  return enriched.filter(({ id, customer }) => {
    const isBehind = id < (latest.get(customer) ?? -1);
    if (!isBehind) latest.set(customer, id);
    return isBehind;
  });
}

function shown({ id, customer, city, tier, title, category, cents }: EnrichedOrder): string {
  return `order ${id} of ${customer} (${tier ?? 'no profile'}, ${city ?? 'nowhere'}): ${title} (${category}) for ${cents} cents`;
}

function named({ id, customer, product, quantity, placedAt }: Order): string {
  return `order ${id} of ${customer}, ${quantity} times ${product}, ${new Date(placedAt).toISOString()}`;
}
