/** What a worker thread of `threads: n` runs: started by src/threads/spawn-worker.ts, never imported. */
import { parentPort, workerData } from 'node:worker_threads';
import { kafkaBroker } from './kafkajs/kafka-broker';
import { openLevelBytes } from './level/level-bytes';
import { slotOfThread } from './state/shared-slot';
import type { OpenBytes } from './state/open-bytes';
import type { WorkerData } from './threads/messages';
import { runWorker } from './threads/run-worker';
import { systemClock as clock } from './time/system-clock';

if (parentPort !== null) {
  void runWorker(parentPort, workerData as WorkerData, ({ brokers, requestTimeout: requestTimeoutMs, logger }, { slot, thread }) => {
    const openBytes: OpenBytes = (folder, options) => openLevelBytes(folder, { clock, logger, ...options });
    return {
      clock,
      broker: kafkaBroker({ brokers: brokers ?? [], clock, logger, requestTimeoutMs }),
      openBytes,
      openSlot: () => Promise.resolve(slotOfThread(slot, thread.number, openBytes)),
      thread,
    };
  });
}
