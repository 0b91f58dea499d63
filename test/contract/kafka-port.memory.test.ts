import { memoryBroker } from '../../src/memory/memory-broker';
import { delay } from '../../src/time/clock';
import { manualClock } from '../../src/time/manual-clock';
import { Driven } from '../memory/driven';
import { kafkaPortContract } from './kafka-port';

const clock = manualClock({ seed: 20 });
const broker = memoryBroker({ clock });
const driven = new Driven(clock);

kafkaPortContract({
  name: 'memory',
  connect: (clientId) => driven.port(broker.connect(clientId)),
  pause: (ms) => driven.awaited(delay(clock, ms)),
  now: () => clock.now(),
});

afterAll(() => {
  broker.close();
});
