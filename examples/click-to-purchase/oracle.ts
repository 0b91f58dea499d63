/**
 * Checks a run with a plain loop over all pairs of the same events, lateness included: it needs only the order of either kind and the
 * partition of each user. Nothing of the library, nothing of the topology.
 */
import { javaPartition } from '../java-partition';
import { onlyInFirst } from '../only-in-first';
import type { Click, Events, Purchase } from './events';

interface Attribution {
  readonly click: Click;
  readonly purchase: Purchase | null;
  /** The record's own time, ms since the epoch. */
  readonly timestamp: number;
}

export interface Observed extends Events {
  readonly partitions: number;
  /** A purchase counts as that of a click until so long after it. */
  readonly afterMs: number;
  readonly graceMs: number;
  readonly attributions: readonly Attribution[];
  readonly lateClicks: readonly Click[];
  readonly latePurchases: readonly Purchase[];
}

export interface Verdict {
  /** Pairs of a click and a purchase that the run found. */
  readonly pairs: number;
  /** Clicks that it gave alone, those that were late among them. */
  readonly alone: number;
  readonly lateClicks: number;
  readonly latePurchases: number;
  /** Clicks without a purchase that the run says nothing of: for them one might yet come. */
  readonly open: number;
  /** Empty when everything is as it must be. */
  readonly differences: readonly string[];
}

export function judge(observed: Observed): Verdict {
  const { clicks, attributions, lateClicks, latePurchases } = observed;
  const expected = attribute(observed);
  const differences = [
    ...onlyInFirst(expected.attributions.map(shown), attributions.map(shown)).map((what) => `${what}: missing`),
    ...onlyInFirst(attributions.map(shown), expected.attributions.map(shown)).map((what) => `${what}: should not be`),
    ...differencesOf(expected.lateClicks.map(clickNamed), lateClicks.map(clickNamed)),
    ...differencesOf(expected.latePurchases.map(purchaseNamed), latePurchases.map(purchaseNamed)),
  ];
  const met = new Set(attributions.map(({ click }) => click.id)).size;
  if (met + expected.open !== clicks.length) {
    differences.push(`${clicks.length} clicks written, but with a purchase, alone or open = ${met + expected.open}`);
  }
  return {
    pairs: attributions.filter(({ purchase }) => purchase !== null).length,
    alone: attributions.filter(({ purchase }) => purchase === null).length,
    lateClicks: lateClicks.length,
    latePurchases: latePurchases.length,
    open: expected.open,
    differences,
  };
}

function differencesOf(expected: readonly string[], found: readonly string[]): string[] {
  return [
    ...onlyInFirst(expected, found).map((event) => `${event} was late, but is not among the late ones`),
    ...onlyInFirst(found, expected).map((event) => `${event} is among the late ones, but was not late`),
  ];
}

interface Expected {
  readonly attributions: readonly Attribution[];
  readonly lateClicks: readonly Click[];
  readonly latePurchases: readonly Purchase[];
  readonly open: number;
}

/**
 * A click is late when its hour and the grace were over before the latest time its partition had seen; a purchase when the grace was. What
 * is late meets nobody. Clicks that meet nobody come out alone: late ones at once, the others when hour and grace are over.
 */
function attribute({ clicks, purchases, partitions, afterMs, graceMs }: Observed): Expected {
  const attributions: Attribution[] = [];
  const lateClicks: Click[] = [];
  const latePurchases: Purchase[] = [];
  let open = 0;
  for (let partition = 0; partition < partitions; partition++) {
    const inPartition = ({ user }: { readonly user: string }): boolean => javaPartition(user, partitions) === partition;
    const inTime: { clicks: Click[]; purchases: Purchase[] } = { clicks: [], purchases: [] };
    let latest = -1;
    for (const event of inOrderTaken(clicks.filter(inPartition), purchases.filter(inPartition))) {
      latest = Math.max(latest, event.timestamp);
      if ('campaign' in event) (latest > event.timestamp + afterMs + graceMs ? lateClicks : inTime.clicks).push(event);
      else (latest > event.timestamp + graceMs ? latePurchases : inTime.purchases).push(event);
    }
    for (const click of inTime.clicks) {
      const counts = ({ user, timestamp }: Purchase): boolean =>
        user === click.user && timestamp >= click.timestamp && timestamp <= click.timestamp + afterMs;
      const its = inTime.purchases.filter(counts);
      for (const purchase of its) attributions.push({ click, purchase, timestamp: purchase.timestamp });
      if (its.length > 0) continue;
      if (latest > click.timestamp + afterMs + graceMs) attributions.push({ click, purchase: null, timestamp: click.timestamp });
      else open += 1;
    }
  }
  for (const click of lateClicks) attributions.push({ click, purchase: null, timestamp: click.timestamp });
  return { attributions, lateClicks, latePurchases, open };
}

/** Two lists become one, neither changes its order: always the older one of the two that are next. */
function inOrderTaken(clicks: readonly Click[], purchases: readonly Purchase[]): (Click | Purchase)[] {
  const taken: (Click | Purchase)[] = [];
  let at = 0;
  for (const click of clicks) {
    for (let next = purchases[at]; next !== undefined && next.timestamp < click.timestamp; next = purchases[at]) {
      taken.push(next);
      at += 1;
    }
    taken.push(click);
  }
  return [...taken, ...purchases.slice(at)];
}

function clickNamed({ id, user, campaign, timestamp }: Click): string {
  return `click ${id} of ${user} on ${campaign} at ${new Date(timestamp).toISOString()}`;
}

function purchaseNamed({ id, user, cents, timestamp }: Purchase): string {
  return `purchase ${id} of ${user} for ${cents} cents at ${new Date(timestamp).toISOString()}`;
}

function shown({ click, purchase, timestamp }: Attribution): string {
  return `${clickNamed(click)}, ${purchase === null ? 'no purchase' : purchaseNamed(purchase)}, given at ${timestamp}`;
}
