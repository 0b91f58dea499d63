/**
 * Checks a run with a plain loop over the same quakes, watermarks included: it needs only the order of the quakes and each one's partition.
 * Nothing of the library, nothing of the topology.
 */
import { javaPartition } from '../java-partition';
import type { Quake } from './quakes';

interface Activity {
  readonly region: string;
  /** Its start, ms since the epoch. */
  readonly hour: number;
  readonly quakes: number;
  readonly strongest: number;
}

interface LateQuake {
  readonly quake: Quake;
  /** Start of the hour that was over. */
  readonly hour: number;
  readonly watermark: number;
  readonly lateness: number;
}

export interface Observed {
  /** In the order of writing. */
  readonly quakes: readonly Quake[];
  readonly partitions: number;
  readonly outOfOrdernessMs: number;
  readonly activity: readonly Activity[];
  readonly late: readonly LateQuake[];
}

export interface Verdict {
  /** What the run counted, in hours that are over. */
  readonly counted: number;
  /** What the run found late. */
  readonly late: number;
  /** Quakes in hours that were not over at the end: counted, but nothing was said of them. */
  readonly open: number;
  /** Empty when everything is as it must be. */
  readonly differences: readonly string[];
}

const HOUR = 3_600_000;

export function judge(observed: Observed): Verdict {
  const { quakes, activity, late } = observed;
  const expected = follow(observed);
  const differences = [
    ...onlyInFirst(expected.closed.map(shown), activity.map(shown)).map((hour) => `${hour}: missing`),
    ...onlyInFirst(activity.map(shown), expected.closed.map(shown)).map((hour) => `${hour}: should not be`),
    ...onlyInFirst(expected.late.map(named), late.map(named)).map((quake) => `${quake} was late, but is not among the late ones`),
    ...onlyInFirst(late.map(named), expected.late.map(named)).map((quake) => `${quake} is among the late ones, but was not late so`),
  ];
  const counted = activity.reduce((sum, hour) => sum + hour.quakes, 0);
  const found = counted + late.length + expected.open;
  if (found !== quakes.length) differences.push(`${quakes.length} quakes written, but counted + late + in open hours = ${found}`);
  return { counted, late: late.length, open: expected.open, differences };
}

/**
 * The watermark of a partition is the latest time seen there less the out-of-orderness, that of the quake at hand included. An hour is
 * over, and every further quake of it late, as soon as the watermark has reached its end.
 */
function follow({ quakes, partitions, outOfOrdernessMs }: Observed): { closed: Activity[]; late: LateQuake[]; open: number } {
  const watermarks = new Array<number>(partitions).fill(-1);
  const hours = new Map<string, Quake[]>();
  const late: LateQuake[] = [];
  for (const quake of quakes) {
    const partition = javaPartition(quake.region, partitions);
    const watermark = Math.max(watermarks[partition]!, quake.time - outOfOrdernessMs);
    watermarks[partition] = watermark;
    const hour = quake.time - (quake.time % HOUR);
    if (hour + HOUR <= watermark) {
      late.push({ quake, hour, watermark, lateness: watermark - quake.time });
      continue;
    }
    const where = `${hour} ${quake.region}`;
    hours.set(where, [...(hours.get(where) ?? []), quake]);
  }

  const closed: Activity[] = [];
  let open = 0;
  for (const inHour of hours.values()) {
    const { region, time } = inHour[0]!;
    const hour = time - (time % HOUR);
    const strongest = Math.max(...inHour.map(({ magnitude }) => magnitude));
    if (hour + HOUR <= watermarks[javaPartition(region, partitions)]!) closed.push({ region, hour, quakes: inHour.length, strongest });
    else open += inHour.length;
  }
  return { closed, late, open };
}

/** What is in the first list more often than in the second. */
function onlyInFirst(a: readonly string[], b: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of b) left.set(line, (left.get(line) ?? 0) + 1);
  return a.filter((line) => {
    const times = left.get(line) ?? 0;
    left.set(line, times - 1);
    return times <= 0;
  });
}

function shown({ region, hour, quakes, strongest }: Activity): string {
  return `${region} ${new Date(hour).toISOString()}, ${quakes} quakes, magnitude ${strongest} at most`;
}

function named({ quake, hour, watermark, lateness }: LateQuake): string {
  const { id, region, magnitude, time, updated } = quake;
  const what = `${id} in ${region}, magnitude ${magnitude}, at ${new Date(time).toISOString()}, updated ${new Date(updated).toISOString()}`;
  return `${what}: hour ${new Date(hour).toISOString()}, watermark ${new Date(watermark).toISOString()}, late by ${lateness} ms`;
}
