import { rmSync } from 'node:fs';
import { startedBroker } from './started-broker';

export default async function stopBroker(): Promise<void> {
  await startedBroker.kafka?.stop();
  if (startedBroker.dataDirectory !== undefined) rmSync(startedBroker.dataDirectory, { recursive: true, force: true });
}
