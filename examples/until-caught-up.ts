import { millrace, type Cluster, type Topology } from 'millrace';
import { lastValueFrom } from 'rxjs';

/** Runs one application until it has read all there is; the signal ends it before. It has been closed when this settles. */
export async function runUntilCaughtUp(options: {
  readonly applicationId: string;
  readonly cluster: Cluster;
  readonly stateDirectory: string;
  readonly topology: Topology;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { applicationId, cluster, stateDirectory, topology, signal } = options;
  if (signal.aborted) return;
  const app = millrace({ applicationId, cluster, stateDirectory });
  const close = (): void => void app.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    await lastValueFrom(app.run(topology, { until: 'caught-up' }), { defaultValue: undefined });
  } finally {
    signal.removeEventListener('abort', close);
    await app.close();
  }
}
