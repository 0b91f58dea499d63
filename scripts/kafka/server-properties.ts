import { LOOPBACK } from './ports';

/** One Kafka process, broker and controller at once. */
export interface KafkaNode {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
}

/** The log folder of a node, relative to the cluster's data folder, which is the broker's working directory. */
export function logFolder(node: KafkaNode): string {
  return `broker-${node.id}`;
}

/** What only shows where brokers may fail. */
const SEVERAL = `
# A broker that is silent for 6 s has died: its partitions and its coordinators go to others.
broker.session.timeout.ms=6000
broker.heartbeat.interval.ms=1000
# Transactions that have timed out are looked for every second, not every ten.
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
# What is too old is removed every 3 s, not every five minutes.
log.retention.check.interval.ms=3000
`;

/** The server.properties of one node of a KRaft cluster on this machine. */
export function serverProperties(node: KafkaNode, nodes: readonly KafkaNode[]): string {
  const voters = nodes.map(({ id, controllerPort }) => `${id}@${LOOPBACK}:${controllerPort}`).join(',');
  const replicas = Math.min(nodes.length, 3);
  const minInSync = Math.max(1, replicas - 1);
  return `# Written by scripts/kafka-server.ts at each start.
process.roles=broker,controller
node.id=${node.id}
controller.quorum.voters=${voters}
listeners=BROKER://${LOOPBACK}:${node.port},CONTROLLER://${LOOPBACK}:${node.controllerPort}
advertised.listeners=BROKER://${LOOPBACK}:${node.port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs=${logFolder(node)}

auto.create.topics.enable=false
default.replication.factor=${replicas}
min.insync.replicas=${minInSync}

# Internal topics: small, they are created at first use and loaded at each start.
offsets.topic.replication.factor=${replicas}
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=${replicas}
transaction.state.log.min.isr=${minInSync}
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=${replicas}
share.coordinator.state.topic.min.isr=${minInSync}
share.coordinator.state.topic.num.partitions=8

# A group's first member waits for no others, and members may be declared dead after 2 s.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=2000

# Compaction is looked for every half second, not every 15 s; what may be compacted stays the topic's business.
log.cleaner.backoff.ms=500
log.cleaner.dedupe.buffer.size=33554432
${nodes.length === 1 ? '' : SEVERAL}
# Everything else is Kafka's default. Retention too: 7 days *by record timestamp*, looked at every 5 minutes unless it says
# otherwise above, so records that are stamped years ago vanish soon after they were written, unless their topic has retention.ms=-1.
`;
}

/** The meta.properties that marks a log folder as formatted for this node of this cluster. */
export function metaProperties(node: KafkaNode, clusterId: string, directoryId: string): string {
  return `version=1\ncluster.id=${clusterId}\nnode.id=${node.id}\ndirectory.id=${directoryId}\n`;
}
