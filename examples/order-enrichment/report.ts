import { reportComparison } from '../comparison';
import type { Outcome } from './run';

const TIERS = ['gold', 'standard', null] as const;

/** Gives the exit code: 0 only if a plain loop gave the same. */
export function report({ verdict, enriched }: Outcome, streams: Parameters<typeof reportComparison>[1]): 0 | 1 {
  const { out } = streams;
  out.write(`${verdict.enriched} orders enriched, ${verdict.withoutProfile} of them of customers who had no profile then\n`);
  out.write(`${verdict.changedSince} would look otherwise with the profiles at the end of the day\n`);
  out.write(`${verdict.unlisted} orders of products that are not in the catalogue\n\n`);
  out.write('  tier        orders     revenue\n');
  for (const tier of TIERS) {
    const orders = enriched.filter((order) => order.tier === tier);
    const revenue = orders.reduce((sum, { cents }) => sum + cents, 0) / 100;
    out.write(`  ${(tier ?? 'no profile').padEnd(10)}${String(orders.length).padStart(8)}${revenue.toFixed(2).padStart(12)}\n`);
  }
  out.write('\n');
  return reportComparison(verdict.differences, streams);
}
