/**
 * Whole instances, broker, clock, chance and faults in one process under one seed: `npm run simulate -- --seeds N [--from K]`. A failing
 * seed prints what happened, and is run again by `--from K --seeds 1`. `--awaits` prints how often each await was reached and cut;
 * `--every-await` runs seeds again to cut what none has cut, and fails if an await is left.
 * `--bites` plants mistakes in the sources, one at a time, and counts the seeds until each is found. See docs/simulation.md.
 */
import { parseArgs } from 'node:util';
import { runBites } from './simulate/bites';
import { build, type Build } from './simulate/build';
import { CUTS, type DirectedCut } from './simulate/cuts';
import type { AwaitSite } from './simulate/instrument';
import { leads } from './simulate/leads';
import { outOfReach } from './simulate/out-of-reach';
import { Pursuit } from './simulate/pursuit';
import { runSeeds, type SeedReport } from './simulate/seeds';
import { Totals } from './simulate/totals';

const SEEDS = 100;
const MOST_BITE_SEEDS = 500;
/** At awaits that no seed has cut. */
const MOST_ATTEMPTS = 8;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '' },
      from: { type: 'string', default: '0' },
      cut: { type: 'string', multiple: true, default: [] },
      awaits: { type: 'boolean', default: false },
      'every-await': { type: 'boolean', default: false },
      bites: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
    },
  });
  const from = wholeNumber('--from', values.from);
  const seeds = values.seeds === '' ? undefined : wholeNumber('--seeds', values.seeds);
  const cuts = values.cut.map(cutOf);
  const isWell = values.bites
    ? await runBites({ from, most: seeds ?? MOST_BITE_SEEDS, only: values.only })
    : await simulate({ ...{ from, cuts }, count: seeds ?? SEEDS, withAwaits: values.awaits, everyAwait: values['every-await'] });
  process.exitCode = isWell ? 0 : 1;
}

interface Options {
  readonly from: number;
  readonly count: number;
  readonly cuts: readonly DirectedCut[];
  readonly withAwaits: boolean;
  readonly everyAwait: boolean;
}

async function simulate({ from, count, cuts, withAwaits, everyAwait }: Options): Promise<boolean> {
  const built = build();
  const totals = new Totals(built.sites, outOfReach);
  let failed = 0;
  const started = process.hrtime.bigint();
  const each = (report: SeedReport): boolean => {
    totals.add(report);
    const complaints = complaintsOf(report);
    if (complaints.length > 0) complain(report, complaints, failed++ === 0 ? built.sites : undefined);
    return true;
  };
  const seeds = Array.from({ length: count }, (_, at) => from + at);
  await runSeeds(built, { each, orders: seeds.map((seed) => (cuts.length === 0 ? { seed } : { seed, cuts })) });
  const pursued = everyAwait ? await pursueAll(built, totals, each) : 0;
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (withAwaits) console.log(totals.table());
  console.log(totals.summary());
  const besides = pursued === 0 ? '' : ` and ${pursued} runs for awaits that they had not cut`;
  console.log(
    `${count} seeds from ${from}${besides} in ${seconds.toFixed(1)} s, ${(totals.seeds / seconds).toFixed(1)} a second: ${failed} failed`,
  );
  const isWhole = !everyAwait || totals.inReach.every((site) => site.cuts > 0);
  return failed === 0 && isWhole && totals.reachedAfterAll.length === 0;
}

async function pursueAll(built: Build, totals: Totals, each: (report: SeedReport) => boolean): Promise<number> {
  const pursuit = new Pursuit(leads);
  let runs = 0;
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const orders = pursuit.next(totals.inReach);
    if (orders.length === 0) break;
    runs += orders.length;
    await runSeeds(built, { orders, each });
  }
  return runs;
}

/** @param sites undefined: without its story */
function complain({ order, program, story }: SeedReport, complaints: readonly string[], sites: readonly AwaitSite[] | undefined): void {
  const cuts = (order.cuts ?? []).map(({ site, cut }) => ` --cut ${site}${cut === undefined ? '' : `=${cut}`}`).join('');
  console.log(`seed ${order.seed} (${program}) FAILS; again by: npm run simulate -- --from ${order.seed} --seeds 1${cuts}`);
  for (const complaint of complaints.slice(0, 20)) console.log(`  ${complaint}`);
  if (sites !== undefined) console.log(story.map((line) => `    ${withNames(line, sites)}`).join('\n'));
}

function complaintsOf({ violations, hash, again }: SeedReport): string[] {
  return again === undefined || again === hash
    ? [...violations]
    : [...violations, `run again it took another course: trace ${again}, not ${hash}`];
}

function withNames(line: string, sites: readonly AwaitSite[]): string {
  return line.replace(/await (\d+)$/, (_, site: string) => {
    const { file, line: at, what } = sites[Number(site)]!;
    return `await ${file}:${at} ${what}`;
  });
}

/** `number` of an await, or `number=kind`. */
function cutOf(text: string): DirectedCut {
  const [number = '', kind] = text.split('=');
  const site = wholeNumber('--cut', number);
  if (kind === undefined) return { site };
  const cut = CUTS.find((each) => each === kind);
  if (cut === undefined) throw new Error(`--cut ${text}: a cut is one of ${CUTS.join(', ')}`);
  return { site, cut };
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
