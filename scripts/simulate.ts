/**
 * Whole instances, broker, clock, chance and faults in one process under one seed: `npm run simulate -- --seeds N [--from K]`. A failing
 * seed prints what happened, and is run again by `--from K --seeds 1`. `--awaits` prints how often each await was reached and cut.
 * `--bites` plants mistakes in the sources, one at a time, and counts the seeds until each is found. See docs/simulation.md.
 */
import { parseArgs } from 'node:util';
import { runBites } from './simulate/bites';
import { build } from './simulate/build';
import { outOfReach } from './simulate/out-of-reach';
import { runSeeds, type SeedReport } from './simulate/seeds';
import { Totals } from './simulate/totals';

const SEEDS = 100;
const MOST_BITE_SEEDS = 500;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '' },
      from: { type: 'string', default: '0' },
      awaits: { type: 'boolean', default: false },
      bites: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
    },
  });
  const from = wholeNumber('--from', values.from);
  const seeds = values.seeds === '' ? undefined : wholeNumber('--seeds', values.seeds);
  const isWell = values.bites
    ? await runBites({ from, most: seeds ?? MOST_BITE_SEEDS, only: values.only })
    : await simulate(from, seeds ?? SEEDS, values.awaits);
  process.exitCode = isWell ? 0 : 1;
}

async function simulate(from: number, count: number, withAwaits: boolean): Promise<boolean> {
  const built = build();
  const totals = new Totals(built.sites, outOfReach);
  const failed: number[] = [];
  const started = process.hrtime.bigint();
  await runSeeds(built, {
    from,
    count,
    each: (report) => {
      totals.add(report);
      const complaints = complaintsOf(report);
      if (complaints.length === 0) return true;
      failed.push(report.seed);
      console.log(`seed ${report.seed} (${report.program}) FAILS; again by: npm run simulate -- --from ${report.seed} --seeds 1`);
      for (const complaint of complaints.slice(0, 20)) console.log(`  ${complaint}`);
      if (failed.length === 1) console.log(report.story.map((line) => `    ${withNames(line, built.sites)}`).join('\n'));
      return true;
    },
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (withAwaits) console.log(totals.table());
  console.log(totals.summary());
  console.log(
    `${totals.seeds} seeds from ${from} in ${seconds.toFixed(1)} s, ${(totals.seeds / seconds).toFixed(1)} a second: ${failed.length} failed`,
  );
  return failed.length === 0 && totals.reachedAfterAll.length === 0;
}

function complaintsOf({ violations, hash, again }: SeedReport): string[] {
  return again === undefined || again === hash
    ? [...violations]
    : [...violations, `run again it took another course: trace ${again}, not ${hash}`];
}

function withNames(line: string, sites: readonly { file: string; line: number; what: string }[]): string {
  return line.replace(/await (\d+)$/, (_, site: string) => {
    const { file, line: at, what } = sites[Number(site)]!;
    return `await ${file}:${at} ${what}`;
  });
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (text === '' || !Number.isSafeInteger(value) || value < 0) throw new Error(`${option} takes a whole number, not "${text}"`);
  return value;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
