import type { MillraceConfig } from '../../src/config';
import type { MemoryBrokerOptions } from '../../src/memory/memory-broker';
import type { Chance } from './chance';
import type { Program } from './program';
import { programs } from './programs/all';

/** What a run is like from its beginning to its end. */
export interface Setting {
  readonly program: Program;
  readonly partitions: number;
  readonly nodes: number;
  readonly cluster: Pick<MemoryBrokerOptions, 'cutsBatches' | 'metadataLagMs' | 'requestTimeoutMs'>;
  readonly config: Partial<MillraceConfig>;
  /** ms, also less than is allowed: so that what hangs meets what is given up. */
  readonly transactionTimeout: number;
  /** Instances are static members, by their names. */
  readonly isStatic: boolean;
  /** How readily awaits are cut: some runs have few cuts, so that what one alone leads to is seen. */
  readonly eagerness: number;
  /** ms a write to disk takes, at most. */
  readonly diskMs: number;
  /** Broker nodes die, and leaders and coordinators move. */
  readonly hasTroubledNodes: boolean;
  /** Rounds, and the round from which on what starts has the next topology. */
  readonly rounds: number;
  readonly deploysIn: number;
}

export function drawSetting(seed: number, chance: Chance): Setting {
  const program = programs[seed % programs.length]!;
  const nodes = 1 + chance.below(3);
  const isHasty = chance.below(3) === 0;
  const rounds = 6 + chance.below(8);
  return {
    ...{ program, nodes, rounds },
    partitions: 2 + chance.below(3),
    cluster: {
      requestTimeoutMs: isHasty ? 4_000 : 20_000,
      cutsBatches: chance.below(2) === 0,
      metadataLagMs: chance.oneOf([0, 50, 1_000]),
    },
    config: {
      // Without a cache entries are read from disk again and again.
      cacheBytes: chance.below(2) * 1_000_000,
      commitInterval: chance.oneOf([20, 100, 400]),
      standbyReplicas: chance.oneOf([0, 0, 1, 2]),
      acceptableLag: chance.oneOf([0, 5, 10_000]),
      maxWarmups: 1 + chance.below(2),
    },
    transactionTimeout: isHasty ? 8_500 : 25_000,
    isStatic: chance.below(4) === 0,
    eagerness: chance.oneOf([0.3, 1, 1, 3]),
    diskMs: chance.oneOf([0, 0, 20, 400]),
    hasTroubledNodes: chance.below(2) === 0,
    deploysIn: 1 + chance.below(rounds),
  };
}
