import type { RunningCluster } from '../../scripts/kafka-server';

/** What global-setup.ts started: it, the tear-down, and environment.js, which hands it to the tests, have the global object in common. */
interface SharedCluster {
  running?: RunningCluster;
}

const common = globalThis as { millraceFaultsCluster?: SharedCluster };

export const sharedCluster: SharedCluster = (common.millraceFaultsCluster ??= {});
