import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const TEMPORARY = /^temporary-(\d+)-/;

export interface Place {
  readonly directory: string;
  /** Goes with the cluster. */
  readonly temporary: boolean;
}

export interface WantedPlace {
  readonly home: string;
  readonly port?: number | undefined;
  readonly dataDirectory?: string | undefined;
  readonly brokers: number;
}

/** Where a cluster lives. Only a caller that names neither port nor folder gets a folder that goes with the cluster. */
export async function placeOf({ home, port, dataDirectory, brokers }: WantedPlace, chosenPort: number): Promise<Place> {
  if (dataDirectory !== undefined) return { directory: resolve(dataDirectory), temporary: false };
  // Data of three brokers are of no use to one, nor the other way round.
  if (port !== undefined) return { directory: join(home, `data-${port}${brokers === 1 ? '' : `-${brokers}-brokers`}`), temporary: false };
  await removeAbandoned(home);
  return { directory: join(home, `temporary-${process.pid}-${chosenPort}`), temporary: true };
}

async function removeAbandoned(home: string): Promise<void> {
  await mkdir(home, { recursive: true });
  for (const name of await readdir(home)) {
    const owner = TEMPORARY.exec(name)?.[1];
    if (owner === undefined || owner === String(process.pid)) continue;
    try {
      process.kill(Number(owner), 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') await rm(join(home, name), { recursive: true, force: true });
    }
  }
}
