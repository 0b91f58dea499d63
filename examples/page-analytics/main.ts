import { chosenCluster } from '../chosen-cluster';
import { reportComparison } from '../comparison';
import { interrupted } from '../interrupt';
import { readOptions } from './command-line';
import { displayOn } from './display';
import type { Verdict } from './oracle';
import { runAndCheck, runForever } from './run';

async function main(): Promise<void> {
  const { events, seed, forever } = readOptions(process.argv.slice(2));
  const { cluster, place } = chosenCluster();
  const options = { cluster, seed, signal: interrupted(), display: displayOn(process.stdout) };
  process.stdout.write(`page analytics of ${forever ? 'a click stream without end' : `${events} events`}, seed ${seed}, on ${place}\n`);
  try {
    if (forever) await runForever(options);
    else report(await runAndCheck(events, options));
  } finally {
    await cluster.close();
  }
}

function report(verdict: Verdict | undefined): void {
  if (verdict === undefined) {
    process.stdout.write('interrupted: nothing was checked\n');
    process.exitCode = 130;
    return;
  }
  const { generated, counted, late, malformed, filtered, differences } = verdict;
  process.stdout.write(`${generated} generated = ${counted} counted + ${late} late + ${malformed} malformed + ${filtered} other events\n`);
  process.exitCode = reportComparison(differences, { out: process.stdout, err: process.stderr });
}

main().catch((error: unknown) => {
  process.exitCode = 1;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
});
