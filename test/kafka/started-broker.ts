import type { RunningKafka } from '../../scripts/kafka-server';

/** What global-setup.ts started, for global-teardown.ts: Jest loads the two apart, so that only the global object is common to both. */
interface StartedBroker {
  kafka?: RunningKafka;
}

const common = globalThis as { millraceStartedBroker?: StartedBroker };

export const startedBroker: StartedBroker = (common.millraceStartedBroker ??= {});
