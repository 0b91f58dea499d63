import type { Cluster } from '../model/cluster';
import { MillraceError } from '../errors/millrace-error';
import { ClusterView } from '../kafka/cluster-view';
import { describeCode } from '../kafka/describe-code';
import { kafkaCode } from '../kafka/error-codes';
import { OffsetReader } from '../kafka/offsets';
import type { Broker, KafkaPort, TopicCodes } from '../kafka/port';
import { silentLogger } from '../model/logger';
import type { KafkaRecord, Placement } from '../model/record';
import type { Topic } from '../model/topic';
import { delay, type Clock } from '../time/clock';
import { RecordWriter } from './record-writer';
import { readRecords } from './record-reading';

const ADMIN_TIMEOUT_MS = 30_000;

interface Connected {
  readonly port: KafkaPort;
  readonly view: ClusterView;
}

/** A cluster over any broker; connects on first use. */
export class ClusterClient implements Cluster {
  private connected: Connected | undefined;

  constructor(
    private readonly broker: () => Promise<Broker>,
    private readonly clock: Clock,
  ) {}

  readonly createTopics: Cluster['createTopics'] = async (topics) => {
    const { port, view } = await this.connect();
    const wanted = topics.map(({ name, partitions, configs = {} }) => ({ topic: name, partitions, replicationFactor: -1, configs }));
    check('create', await port.createTopics(wanted, ADMIN_TIMEOUT_MS), [kafkaCode.TOPIC_ALREADY_EXISTS]);
    const known = await view.topics(topics.map(({ name }) => name));
    for (const { topic, partitions } of known.values()) {
      for (let partition = 0; partition < partitions; partition++) await view.leaderOf(topic, partition);
    }
  };

  readonly deleteTopics: Cluster['deleteTopics'] = async (names) => {
    const { port } = await this.connect();
    check('delete', await port.deleteTopics(names, ADMIN_TIMEOUT_MS), [kafkaCode.UNKNOWN_TOPIC_OR_PARTITION]);
    for (;;) {
      const { topics } = await port.metadata(names);
      if (topics.every(({ errorCode }) => errorCode === kafkaCode.UNKNOWN_TOPIC_OR_PARTITION)) return;
      await delay(this.clock, 20);
    }
  };

  readonly write = async <K, V>(topic: Topic<K, V>, records: Iterable<KafkaRecord<K, V, Placement>>): Promise<void> => {
    const { port, view } = await this.connect();
    const partitions = (await view.topics([topic.name])).get(topic.name)?.partitions ?? 0;
    const writer = new RecordWriter({ port, view, clock: this.clock, partitions }, topic);
    for (const record of records) {
      writer.add(record);
      if (writer.isFull) await writer.flush();
    }
    await writer.flush();
  };

  readonly read = async <K, V>(topic: Topic<K, V>): Promise<readonly KafkaRecord<K, V>[]> => {
    const { port, view } = await this.connect();
    const { clock } = this;
    const partitions = (await view.topics([topic.name])).get(topic.name)?.partitions ?? 0;
    const offsets = new OffsetReader({ port, view, clock });
    return readRecords({ logs: { port, view, clock, logger: silentLogger }, offsets, partitions }, topic);
  };

  readonly close = async (): Promise<void> => {
    const { connected } = this;
    this.connected = undefined;
    await connected?.port.close();
  };

  private async connect(): Promise<Connected> {
    if (this.connected === undefined) {
      const port = (await this.broker()).connect('millrace-cluster');
      this.connected ??= { port, view: new ClusterView({ port, clock: this.clock, logger: silentLogger }) };
      if (this.connected.port !== port) await port.close();
    }
    return this.connected;
  }
}

function check(verb: string, answer: TopicCodes, harmless: readonly number[]): void {
  const refused = answer.topics.filter(({ errorCode }) => errorCode !== kafkaCode.NONE && !harmless.includes(errorCode));
  if (refused.length === 0) return;
  const said = refused.map(({ topic, errorCode, errorMessage }) => `"${topic}": ${errorMessage ?? describeCode(errorCode)}`).join('; ');
  throw new MillraceError('BROKER_ERROR', `could not ${verb} ${said}`);
}
