import { Command, InvalidArgumentError } from 'commander';
import { CONTROL_HELP } from './control';

export interface KafkaCommand {
  readonly port: number;
  readonly brokers: 1 | 3;
  readonly keep: boolean;
  readonly download: boolean;
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a whole number from 1 to 65535.');
}

function brokerCount(text: string): 1 | 3 {
  if (text === '1') return 1;
  if (text === '3') return 3;
  throw new InvalidArgumentError('The number of brokers is 1 or 3.');
}

/** Reads the arguments of `npm run kafka -- …`. Ends the process on --help and on a mistake, as commander does; tests override that. */
export function parseKafkaCommand(args: readonly string[], prepare: (command: Command) => void = () => {}): KafkaCommand {
  const command = new Command('npm run kafka --')
    .description('Starts a real Apache Kafka on this machine. Needs Java 17 or newer, and Maven the first time. Ctrl-C stops it.')
    .option('--port <port>', 'the port clients connect to, with 3 brokers that of the first; the others take free ones', portNumber, 9092)
    .option('--keep', 'go on with the data of the last start on this port, instead of an empty cluster', false)
    .option('--download', "only fetch Kafka's jars", false)
    .option('--brokers <count>', 'brokers in the cluster: 1, or 3 with 3 replicas of everything, 2 of them in sync', brokerCount, 1)
    .addHelpText('after', CONTROL_HELP)
    .allowExcessArguments(false);
  prepare(command);
  const { port, brokers, keep, download } = command.parse(args, { from: 'user' }).opts<KafkaCommand>();
  return { port, brokers, keep, download };
}
