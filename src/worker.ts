/** What a worker thread of `threads: n` runs: started by src/threads/spawn-worker.ts, never imported. */
import { parentPort, workerData } from 'node:worker_threads';
import { connectKafka, levelBytes } from './adapters';
import { slotOfThread } from './state/shared-slot';
import type { WorkerData } from './threads/messages';
import { runWorker } from './threads/run-worker';
import { systemClock } from './time/system-clock';

if (parentPort !== null) {
  void runWorker(parentPort, workerData as WorkerData, async (config, { slot, thread }) => ({
    clock: systemClock,
    broker: await connectKafka(config.brokers ?? [], config),
    openBytes: await levelBytes(config.logger),
    openSlot: () => Promise.resolve(slotOfThread(slot, thread.number)),
    thread,
  }));
}
