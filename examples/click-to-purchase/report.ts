import { reportComparison } from '../comparison';
import type { Outcome } from './run';

/** Gives the exit code: 0 only if a plain loop gave the same. */
export function report({ verdict, campaigns }: Outcome, streams: Parameters<typeof reportComparison>[1]): 0 | 1 {
  const { out } = streams;
  out.write(`${verdict.pairs} purchases within the hour of a click, ${verdict.alone} clicks that led to none\n`);
  out.write(`${verdict.lateClicks} clicks and ${verdict.latePurchases} purchases came too late, `);
  out.write(`for ${verdict.open} clicks a purchase might yet come\n\n`);
  out.write('  campaign      clicks  converted   rate\n');
  for (const { campaign, clicks, converted } of campaigns) {
    const rate = ((100 * converted) / clicks).toFixed(1);
    out.write(`  ${campaign.padEnd(10)}${String(clicks).padStart(10)}${String(converted).padStart(11)}${rate.padStart(5)} %\n`);
  }
  out.write('\n');
  return reportComparison(verdict.differences, streams);
}
