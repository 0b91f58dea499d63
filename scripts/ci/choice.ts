/** A slow stage of CI, in parts that can be run one without the other. */
export interface SlowStage {
  readonly parts: readonly string[];
  /** Beginnings of paths: a change below one of them is what the stage is for. */
  readonly covers: readonly string[];
  /** How many parts run when nothing of that changed. */
  readonly sample: number;
}

/** What is known of this run. */
export interface Occasion {
  /** Everything was asked for. */
  readonly all: boolean;
  /** Files changed since the base, the working tree included; undefined: there is no telling. */
  readonly changed: readonly string[] | undefined;
  /** In words. */
  readonly base: string;
  /** Decides which parts are the sample: another commit, other parts. */
  readonly seed: number;
}

export interface Choice {
  readonly parts: readonly string[];
  /** For the log: a sample is never taken silently. */
  readonly why: string;
}

/** All parts when what they cover changed, or when there is no telling; else a sample, which another commit takes elsewhere. */
export function choose(name: string, { parts, covers, sample }: SlowStage, { all, changed, base, seed }: Occasion): Choice {
  const whole = (reason: string): Choice => ({ parts, why: `${name}: all ${parts.length}, ${reason}` });
  if (all) return whole('as asked for');
  if (changed === undefined) return whole(`${base} is not in this clone, so that what changed is not known`);
  const covered = changed.find((file) => covers.some((beginning) => file.startsWith(beginning)));
  if (covered !== undefined) return whole(`${covered} changed since ${base}`);
  const count = Math.min(sample, parts.length);
  const chosen = Array.from({ length: count }, (_, at) => parts[(seed + at) % parts.length]!);
  const why = `${name}: SAMPLE of ${count} of ${parts.length}, nothing that it covers changed since ${base}: ${chosen.join(', ')}. Everything: npm run ci:all`;
  return { parts: chosen, why };
}
