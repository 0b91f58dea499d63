import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { WorkerData } from './messages';

/** Makes a worker thread. */
export type SpawnWorker = (data: WorkerData) => Worker;

/**
 * Starts threads with the file `entry`, which calls `runWorker`. Node's own options of the process hold for them; in a worker the hooks of
 * loaders for TypeScript reach `require` only, so that a TypeScript file is required by a line of JavaScript.
 */
export function spawnWorkers(entry: string, options: Pick<WorkerOptions, 'execArgv' | 'resourceLimits' | 'env'> = {}): SpawnWorker {
  const line = `import { createRequire } from 'node:module'; createRequire(${JSON.stringify(entry)})(${JSON.stringify(entry)});`;
  const file = entry.endsWith('.ts') ? new URL(`data:text/javascript,${encodeURIComponent(line)}`) : entry;
  return (workerData) => new Worker(file, { ...options, workerData, name: `millrace ${String(workerData.thread.number)}` });
}
