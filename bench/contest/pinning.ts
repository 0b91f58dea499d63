import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The contestant has this core for itself, … */
const CONTESTANT_CORE = '0';
/** … the broker this one, with the meter, which needs little. */
const BROKER_CORE = '1';

/** What a command has to be put behind to run on the contestant's core. */
export const onContestantCore: readonly string[] = ['taskset', '-c', CONTESTANT_CORE];

export function requireTwoCores(): void {
  if (process.platform !== 'linux' || cpus().length < 2) throw new Error('--pin needs Linux and two cores');
}

/** Broker and meter on one core while `body` runs; before and after it, as they like. */
export async function pinned<T>(brokerPid: number, body: () => Promise<T>): Promise<T> {
  await setCores(BROKER_CORE, brokerPid, process.pid);
  try {
    return await body();
  } finally {
    await setCores(`0-${cpus().length - 1}`, brokerPid, process.pid);
  }
}

/** For all threads that there are; later ones inherit it. */
async function setCores(cores: string, ...pids: readonly number[]): Promise<void> {
  for (const pid of pids) await run('taskset', ['-apc', cores, String(pid)]);
}
