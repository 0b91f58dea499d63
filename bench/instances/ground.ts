import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaCluster, KafkaRecord } from '../../src';
import { noOrigin } from '../../src/model/origin';
import type { InstanceLife } from './instance';
import { InstanceProcess } from './instance-process';
import { rowKey, rowsJob, type RowsJob } from './job';

/** Rows written to the input at once, before more of it are encoded. */
const CHUNK = 100_000;

/** Topics, a state directory for each instance, and the instances themselves, all gone in the end. */
export class Ground {
  readonly job: RowsJob;
  private readonly instances: InstanceProcess[] = [];

  private constructor(
    private readonly options: Pick<InstanceLife, 'application' | 'brokers'>,
    private readonly directory: string,
  ) {
    this.job = rowsJob(options.application);
  }

  static async with<T>(options: GroundOptions, body: (ground: Ground) => Promise<T>): Promise<T> {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
    const ground = new Ground(options, directory);
    try {
      await ground.fill(options);
      return await body(ground);
    } finally {
      await Promise.all(ground.instances.map((instance) => instance.end('SIGKILL')));
      await rm(directory, { recursive: true, force: true });
    }
  }

  instance(name: string, options: Partial<InstanceLife> = {}): InstanceProcess {
    const instance = new InstanceProcess(name, { ...this.options, stateDirectory: join(this.directory, name), ...options });
    this.instances.push(instance);
    return instance;
  }

  /** Results that are committed. */
  async results(): Promise<number> {
    const cluster = kafkaCluster(this.options);
    return cluster
      .read(this.job.results)
      .then(({ length }) => length)
      .finally(cluster.close);
  }

  private async fill({ brokers, partitions, rows }: GroundOptions): Promise<void> {
    const cluster = kafkaCluster({ brokers });
    const { input, results } = this.job;
    try {
      await cluster.createTopics([input, results].map(({ name }) => ({ name, partitions })));
      for (let from = 0; from < rows; from += CHUNK) await cluster.write(input, someRows(from, Math.min(rows, from + CHUNK)));
    } finally {
      await cluster.close();
    }
  }
}

export interface GroundOptions extends Pick<InstanceLife, 'application' | 'brokers'> {
  readonly partitions: number;
  /** In all. */
  readonly rows: number;
}

function* someRows(from: number, until: number): Iterable<KafkaRecord<string, string>> {
  const timestamp = Date.now();
  for (let number = from; number < until; number++) yield KafkaRecord.of<string, string>(rowKey(number), 'first', timestamp, noOrigin);
}
