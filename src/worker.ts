/** What a worker thread of `threads: n` runs: started by src/threads/spawn-worker.ts, never imported. */
import { parentPort, workerData } from 'node:worker_threads';
import { kafkaBroker } from './kafkajs/kafka-broker';
import { openLevelBytes } from './level/level-bytes';
import { slotOfThread } from './state/shared-slot';
import type { OpenBytes } from './state/open-bytes';
import type { WorkerData } from './threads/messages';
import { runWorker } from './threads/run-worker';
import { systemClock as clock } from './time/system-clock';

/**
 * ms for another thread of the process to let go of a task's folder. One that is blocked (in a function of the topology, or collecting
 * garbage for a heap that is full) has it longer than the group counts it in.
 */
const SIBLING_WITHIN_MS = 60_000;

if (parentPort !== null) {
  void runWorker(parentPort, workerData as WorkerData, ({ brokers, requestTimeout: requestTimeoutMs, logger }, { slot, thread }) => {
    const openBytes: OpenBytes = (folder, options) => openLevelBytes(folder, { clock, logger, waitMs: SIBLING_WITHIN_MS, ...options });
    return {
      clock,
      broker: kafkaBroker({ brokers: brokers ?? [], clock, logger, requestTimeoutMs }),
      openBytes,
      openSlot: () => Promise.resolve(slotOfThread(slot, thread.number, openBytes)),
      thread,
    };
  });
}
