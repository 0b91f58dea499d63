import { memoryBroker, type MemoryBrokerOptions } from '../../src/memory/memory-broker';
import { delay } from '../../src/time/clock';
import { manualClock } from '../../src/time/manual-clock';
import { Driven } from '../memory/driven';
import { kafkaPortContract } from './kafka-port';

const clock = manualClock({ seed: Number(process.env['CONTRACT_SEED'] ?? 20) });
const driven = new Driven(clock);

function contractOf(name: string, options: Partial<MemoryBrokerOptions>): void {
  const broker = memoryBroker({ ...options, clock });
  kafkaPortContract({
    name,
    connect: (clientId) => driven.port(broker.connect(clientId)),
    pause: (ms) => driven.awaited(delay(clock, ms)),
    now: () => clock.now(),
    cleanUp: () => {
      broker.compact();
      broker.passRetention();
    },
  });
  afterAll(() => {
    broker.close();
  });
}

contractOf('memory', {});
contractOf('memory, three nodes, slow ways, slow markers, batches cut off', {
  brokers: 3,
  cutsBatches: true,
  latencyMs: () => Math.floor(clock.random() * 4),
  markerDelayMs: 3,
});
