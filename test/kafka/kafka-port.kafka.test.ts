import { kafkaBroker } from '../../src/kafkajs/kafka-broker';
import { silentLogger } from '../../src/model/logger';
import { delay } from '../../src/time/clock';
import { systemClock } from '../../src/time/system-clock';
import { kafkaPortContract } from '../contract/kafka-port';
import { kafkaBrokers } from './brokers';

jest.setTimeout(120_000);

kafkaPortContract({
  name: 'kafkajs on a real broker',
  connect: (clientId) => kafkaBroker({ brokers: kafkaBrokers(), clock: systemClock, logger: silentLogger }).connect(clientId),
  pause: (ms) => delay(systemClock, ms),
  now: () => systemClock.now(),
});
