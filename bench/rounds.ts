/** Records per second over several rounds. */
export interface Rate {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export interface Rounds {
  readonly rounds: number;
  readonly roundMs: number;
}

/** Repeats `work`, which gives the records it has done, for a warm-up round and then `rounds` of at least `roundMs` each. */
export function measureRate(work: () => number, { rounds, roundMs }: Rounds): Rate {
  oneRound(work, roundMs);
  const rates = Array.from({ length: rounds }, () => oneRound(work, roundMs)).sort((a, b) => a - b);
  return { min: rates[0]!, median: rates[rates.length >> 1]!, max: rates.at(-1)! };
}

function oneRound(work: () => number, roundMs: number): number {
  const start = performance.now();
  let records = 0;
  let elapsed: number;
  do {
    records += work();
    elapsed = performance.now() - start;
  } while (elapsed < roundMs);
  return Math.round((records / elapsed) * 1000);
}

/** The number of an option such as `--rounds=9`. */
export function numberOption(args: readonly string[], name: string, byDefault: number): number {
  const given = args.find((arg) => arg.startsWith(`--${name}=`));
  if (given === undefined) return byDefault;
  const value = Number(given.slice(name.length + 3));
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number ≥ 1, not ${given}`);
  return value;
}

export function printRate(name: string, { min, median, max }: Rate): void {
  const millions = (rate: number): string => (rate / 1e6).toFixed(2).padStart(6);
  console.log(`${name.padEnd(46)} ${millions(min)} ${millions(median)} ${millions(max)}  million records/s (min, median, max)`);
}
