import type { Cluster } from 'millrace';
import { chosenCluster } from './chosen-cluster';
import { interrupted } from './interrupt';

export interface ExampleSetting {
  readonly cluster: Cluster;
  /** For a heading: where this runs. */
  readonly place: string;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Runs the body of an example on the chosen cluster and ends the process with the exit code it gives: 130 when interrupted, 1 when it throws. */
export async function runExample(body: (setting: ExampleSetting) => Promise<0 | 1>): Promise<void> {
  const { cluster, place } = chosenCluster();
  const signal = interrupted();
  try {
    const exitCode = await body({ cluster, place, signal });
    process.exitCode = signal.aborted ? 130 : exitCode;
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  } finally {
    await cluster.close();
  }
}
