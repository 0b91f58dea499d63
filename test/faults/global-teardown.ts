import { sharedCluster } from './shared-cluster';

export default async function stopThreeBrokers(): Promise<void> {
  await sharedCluster.running?.close();
}
