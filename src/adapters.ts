import type { CheckedConfig } from './config';
import type { Broker } from './kafka/port';
import { silentLogger, type Logger } from './model/logger';
import type { OpenBytes } from './state/open-bytes';
import { systemClock } from './time/system-clock';

/** Brokers of Kafka; connects when it is used. */
export async function connectKafka(brokers: readonly string[], config?: CheckedConfig): Promise<Broker> {
  const { kafkaBroker } = await import('./kafkajs/kafka-broker');
  const requestTimeout = config === undefined ? {} : { requestTimeoutMs: config.requestTimeout };
  return kafkaBroker({ brokers, clock: systemClock, logger: config?.logger ?? silentLogger, ...requestTimeout });
}

/** Folders of LevelDB. */
export async function levelBytes(logger: Logger): Promise<OpenBytes> {
  const { openLevelBytes } = await import('./level/level-bytes');
  return (folder, options) => openLevelBytes(folder, { clock: systemClock, logger, ...options });
}
