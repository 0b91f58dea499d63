import { startedBroker } from './started-broker';

export default async function stopBroker(): Promise<void> {
  await startedBroker.kafka?.stop();
}
