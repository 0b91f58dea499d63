/**
 * Runs files of Kafka Streams' own results against the exported operators: `npm run vectors -- FILE…`. Exit 1 when a case fails.
 */
import type { Outcome } from './vectors/outcome';
import { runVectorFile } from './vectors/run-file';

async function main(paths: readonly string[]): Promise<number> {
  if (paths.length === 0) {
    process.stderr.write('Which files? npm run vectors -- test/vectors/tumbling.json test/vectors/keys.json\n');
    return 2;
  }
  const outcomes: Outcome[] = [];
  for (const path of paths) {
    const ofFile = await outcomesOf(path);
    for (const outcome of ofFile) if (outcome.result !== 'passed') process.stdout.write(describe(outcome));
    process.stdout.write(`${path}: ${summary(ofFile)}\n`);
    outcomes.push(...ofFile);
  }
  process.stdout.write(`${count(outcomes, 'passed')} passed, ${count(outcomes, 'failed')} failed\n`);
  return count(outcomes, 'failed') === 0 && count(outcomes, 'passed') > 0 ? 0 : 1;
}

async function outcomesOf(path: string): Promise<readonly Outcome[]> {
  try {
    return await runVectorFile(path);
  } catch (error) {
    return [{ name: path, result: 'failed', lines: [(error as Error).message] }];
  }
}

function describe({ name, result, lines }: Outcome): string {
  return [`${result.padEnd(7)} ${name}`, ...lines.map((line) => `        ${line}`), ''].join('\n');
}

function summary(outcomes: readonly Outcome[]): string {
  const skipped = count(outcomes, 'skipped');
  const known = skipped === 0 ? '' : `, ${skipped} skipped (known defects of Kafka Streams without a rule)`;
  return `${count(outcomes, 'passed')} passed, ${count(outcomes, 'failed')} failed${known}`;
}

function count(outcomes: readonly Outcome[], result: Outcome['result']): number {
  return outcomes.filter((outcome) => outcome.result === result).length;
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
