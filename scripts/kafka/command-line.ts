import { Command, InvalidArgumentError } from 'commander';

export interface KafkaCommand {
  readonly port: number;
  readonly keep: boolean;
  readonly download: boolean;
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a whole number from 1 to 65535.');
}

function brokerCount(text: string): number {
  if (text === '1') return 1;
  if (/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('Clusters of several brokers are not built yet: only 1 works.');
  throw new InvalidArgumentError('The number of brokers is a whole number from 1.');
}

/** Reads the arguments of `npm run kafka -- …`. Ends the process on --help and on a mistake, as commander does; tests override that. */
export function parseKafkaCommand(args: readonly string[], prepare: (command: Command) => void = () => {}): KafkaCommand {
  const command = new Command('npm run kafka --')
    .description('Starts a real Apache Kafka on this machine. Needs Java 17 or newer, and Maven the first time. Ctrl-C stops it.')
    .option('--port <port>', 'the port clients connect to', portNumber, 9092)
    .option('--keep', 'go on with the data of the last start on this port, instead of an empty cluster', false)
    .option('--download', "only fetch Kafka's jars", false)
    .option('--brokers <count>', 'brokers in the cluster', brokerCount, 1)
    .allowExcessArguments(false);
  prepare(command);
  const { port, keep, download } = command.parse(args, { from: 'user' }).opts<KafkaCommand>();
  return { port, keep, download };
}
