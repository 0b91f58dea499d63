/** One of the processes of `npm run simulate`: runs what each line of its input orders, and says each result in a line of JSON. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { whoseTurn } from './instance';
import type { AwaitSite } from './instrument';
import type { Order } from './order';
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

/** Each so many orders one is run again, and must come out the same. */
const AGAIN = 50;

async function main(): Promise<void> {
  const sites = JSON.parse(readFileSync(join(__dirname, '..', '..', 'sites.json'), 'utf8')) as AwaitSite[];
  const files = sites.map(({ file }) => file);
  let number = 0;
  for await (const line of createInterface(process.stdin)) {
    const order = JSON.parse(line) as Order;
    const result = await runSeed(order, files);
    const isRunAgain = result.violations.length > 0 || number++ % AGAIN === 0;
    const again = isRunAgain ? (await runSeed(order, files)).hash : undefined;
    const story = result.violations.length > 0 ? result.story : [];
    process.stdout.write(`${JSON.stringify({ ...result, story, again })}\n`);
  }
}

void main();
