import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { downloadKafka } from '../../../scripts/kafka-server';

const run = promisify(execFile);

export interface CommittedRecord {
  readonly partition: number;
  readonly key: string;
  readonly value: string;
}

/** Everything committed in a topic, in the order of each partition, read by Kafka's own consumer. */
export async function readCommittedByJvm(broker: string, topic: string): Promise<CommittedRecord[]> {
  const source = path.join(__dirname, 'ReadCommitted.java');
  const { stdout } = await run('java', ['-cp', await classPath(), source, broker, topic], {
    maxBuffer: 512 * 1024 * 1024,
    timeout: 120_000,
  });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [partition = '', key = '', value = ''] = line.split('\t');
      return { partition: Number(partition), key, value };
    });
}

async function classPath(): Promise<string> {
  await downloadKafka();
  const folder = path.resolve(__dirname, '../../../.kafka/jars');
  const distribution = readdirSync(folder).find((name) => /^kafka-[0-9.]+-[0-9a-f]+$/.test(name));
  if (distribution === undefined) throw new Error('no Kafka jars');
  return path.join(folder, distribution, 'jars', '*');
}
