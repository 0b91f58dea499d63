import type { Measured, WholeAndSteady } from './meter';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

interface SpreadOfBoth {
  readonly whole: Spread;
  readonly steady: Spread;
}

export interface Summary {
  readonly recordsPerSecond: SpreadOfBoth;
  readonly cpuMicrosPerRecord: SpreadOfBoth;
  readonly brokerCpuMicrosPerRecord: Spread;
  readonly peakMegabytes: Spread;
  readonly foreignCores: Spread;
}

export function spread(numbers: readonly number[], digits: number): Spread {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const round = (value: number): number => Number(value.toFixed(digits));
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  return { median: round(median), min: round(sorted[0]!), max: round(sorted.at(-1)!) };
}

function spreadOfBoth(values: readonly WholeAndSteady[], digits: number): SpreadOfBoth {
  return {
    whole: spread(
      values.map(({ whole }) => whole),
      digits,
    ),
    steady: spread(
      values.map(({ steady }) => steady),
      digits,
    ),
  };
}

export function summarise(rounds: readonly Measured[]): Summary {
  const of = (figure: (measured: Measured) => number, digits: number): Spread => spread(rounds.map(figure), digits);
  return {
    recordsPerSecond: spreadOfBoth(
      rounds.map(({ recordsPerSecond }) => recordsPerSecond),
      0,
    ),
    cpuMicrosPerRecord: spreadOfBoth(
      rounds.map(({ cpuMicrosPerRecord }) => cpuMicrosPerRecord),
      2,
    ),
    brokerCpuMicrosPerRecord: of(({ brokerCpuMicrosPerRecord }) => brokerCpuMicrosPerRecord, 2),
    peakMegabytes: of((measured) => measured.peakMegabytes, 0),
    foreignCores: of(({ foreignCores }) => foreignCores, 2),
  };
}

/** Ours to theirs, round by round: what the machine does beside it changes more between rounds than within one. */
export function ratios(ours: readonly Measured[], theirs: readonly Measured[]): { readonly whole: Spread; readonly steady: Spread } {
  return spreadOfBoth(
    ours.map(({ recordsPerSecond: a }, round) => {
      const b = theirs[round]!.recordsPerSecond;
      return { whole: a.whole / b.whole, steady: a.steady / b.steady };
    }),
    2,
  );
}

export function describe(name: string, measured: Measured): string {
  const { recordsPerSecond, cpuMicrosPerRecord, brokerCpuMicrosPerRecord, foreignCores } = measured;
  const thousands = (rate: number): string => String(Math.round(rate / 1000)).padStart(4);
  return (
    `${name.padEnd(14)} ${thousands(recordsPerSecond.steady)} thousand records/s steady, ${thousands(recordsPerSecond.whole)} whole run; ` +
    `CPU ${cpuMicrosPerRecord.steady.toFixed(2)} µs a record steady, ${cpuMicrosPerRecord.whole.toFixed(2)} whole (broker ${brokerCpuMicrosPerRecord.toFixed(2)}); ` +
    `peak ${measured.peakMegabytes} MiB; ${foreignCores.toFixed(2)} cores in use by others`
  );
}
