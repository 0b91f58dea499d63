/** One of the processes of `npm run simulate`: runs every `step`th seed from `from` to below `to`, and says each result in a line of JSON. */
import { whoseTurn } from './instance';
import { runSeed } from './run';

declare global {
  /** What the instrumented sources call. */
  var __at: (site: number, settled: unknown) => unknown;
  var __rm: (folder: string) => Promise<void>;
}

globalThis.__at = (site, settled) => {
  whoseTurn()?.at(site, settled);
  return settled;
};

globalThis.__rm = (folder) => whoseTurn()!.removeFolder(folder);

/** Each so many seeds one is run again, and must come out the same. */
const AGAIN = 50;

async function main(): Promise<void> {
  const [from, to, step] = process.argv.slice(2).map(Number) as [number, number, number];
  for (let seed = from; seed < to; seed += step) {
    const result = await runSeed(seed);
    const isRunAgain = result.violations.length > 0 || Math.floor((seed - from) / step) % AGAIN === 0;
    const again = isRunAgain ? (await runSeed(seed)).hash : undefined;
    const story = result.violations.length > 0 ? result.story : [];
    process.stdout.write(`${JSON.stringify({ ...result, story, again })}\n`);
  }
}

void main();
