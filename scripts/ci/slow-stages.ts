import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SlowStage } from './choice';

const BROKER_SIDE = ['src/kafka/', 'src/kafkajs/', 'src/commit/', 'src/state/', 'src/level/', 'src/task/', 'src/app.ts', 'src/millrace.ts'];
const OF_EVERYTHING = ['package-lock.json', 'scripts/kafka', '.ci/'];

/** By name, as .ci/run knows them. The parts of `examples-kafka` are its stages. */
export function slowStages(root: string, examplesOnKafka: readonly string[]): Readonly<Record<string, SlowStage>> {
  const faults = readdirSync(join(root, 'test', 'faults')).filter((file) => file.endsWith('.test.ts'));
  return {
    faults: {
      parts: faults.sort().map((file) => `test/faults/${file}`),
      covers: [...BROKER_SIDE, ...OF_EVERYTHING, 'test/faults/', 'scripts/chaos/', 'src/threads/'],
      sample: 4,
    },
    'examples-kafka': {
      parts: examplesOnKafka,
      covers: [...BROKER_SIDE, ...OF_EVERYTHING, 'operators/', 'examples/', 'scripts/example.ts'],
      sample: 3,
    },
  };
}
