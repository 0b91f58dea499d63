import { rmSync } from 'node:fs';
import { build } from './build';
import { plantedMistakes } from './planted';
import { runSeeds, type SeedReport } from './seeds';

export interface Bites {
  readonly from: number;
  /** Seeds within which each must be found. */
  readonly most: number;
  /** Only those whose names hold this. */
  readonly only: string;
}

/** Plants one mistake at a time in a copy of the sources. False: one was not found. @throws when a patch no longer fits its source */
export async function runBites({ from, most, only }: Bites): Promise<boolean> {
  const planted = plantedMistakes.filter(({ name }) => name.includes(only));
  let missed = 0;
  for (const { name, patches } of planted) {
    const built = build(patches);
    let seeds = 0;
    let found: SeedReport | undefined;
    await runSeeds(built, {
      orders: Array.from({ length: most }, (_, at) => ({ seed: from + at })),
      each: (report) => {
        seeds++;
        if (report.violations.length > 0) found ??= report;
        return found === undefined;
      },
    });
    rmSync(built.folder, { recursive: true, force: true });
    if (found === undefined) missed++;
    const how = found === undefined ? '' : ` by seed ${found.order.seed} (${found.program}): ${found.violations[0]!.slice(0, 160)}`;
    console.log(`${found === undefined ? 'MISSED' : 'found '} ${name}: ${found === undefined ? 'not ' : ''}within ${seeds} seeds${how}`);
  }
  console.log(missed === 0 ? `all ${planted.length} planted mistakes were found` : `${missed} of ${planted.length} were missed`);
  return missed === 0;
}
