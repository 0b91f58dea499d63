import type { KafkaPort } from '../../src/kafka/port';
import { memoryBroker } from '../../src/memory/memory-broker';
import { delay } from '../../src/time/clock';
import { manualClock } from '../../src/time/manual-clock';
import { kafkaPortContract } from './kafka-port';

const clock = manualClock({ seed: 20 });
const broker = memoryBroker({ clock });

/** While the tests wait for the broker, time passes from one event to the next; while they think, it stands still. */
let waiting = 0;
let isDriven = false;

async function drive(): Promise<void> {
  isDriven = true;
  while (waiting > 0) await clock.step();
  isDriven = false;
}

async function awaited<T>(answer: Promise<T>): Promise<T> {
  waiting++;
  if (!isDriven) void drive();
  try {
    return await answer;
  } finally {
    waiting--;
  }
}

function driven(port: KafkaPort): KafkaPort {
  return new Proxy(port, {
    get: (target, name: keyof KafkaPort) => {
      const method = target[name] as ((...args: unknown[]) => Promise<unknown>) | undefined;
      // Not a method: the runtime asks whether this is a promise.
      if (method === undefined) return undefined;
      return (...args: unknown[]) => awaited(method.apply(target, args));
    },
  });
}

kafkaPortContract({
  name: 'memory',
  connect: (clientId) => driven(broker.connect(clientId)),
  pause: (ms) => awaited(delay(clock, ms)),
  now: () => clock.now(),
});

afterAll(() => {
  broker.close();
});
