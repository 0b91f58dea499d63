import { type Command, CommanderError } from 'commander';
import { type KafkaCommand, parseKafkaCommand } from '../../../scripts/kafka/command-line';

/** The command, or what is printed about the mistake. */
function parse(...args: string[]): KafkaCommand | string {
  let printed = '';
  const quiet = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: (text) => (printed += text), writeOut: (text) => (printed += text) });
  };
  try {
    return parseKafkaCommand(args, quiet);
  } catch (error) {
    if (error instanceof CommanderError) return printed;
    throw error;
  }
}

describe('npm run kafka', () => {
  it('starts an empty cluster on port 9092 unless told otherwise', () => {
    expect(parse()).toEqual({ port: 9092, brokers: 1, keep: false, download: false });
  });

  it('takes a port, --keep and --download', () => {
    expect(parse('--port', '19092', '--keep')).toEqual({ port: 19_092, brokers: 1, keep: true, download: false });
    expect(parse('--download')).toMatchObject({ download: true });
  });

  it.each(['0', '65536', '90.5', '1e3', 'x', '-1'])('refuses %s as a port', (port) => {
    expect(parse(`--port=${port}`)).toContain('A port is a whole number from 1 to 65535.');
  });

  it('takes one broker or three', () => {
    expect(parse('--brokers', '3')).toMatchObject({ port: 9092, brokers: 3 });
    expect(parse('--brokers', '1')).toMatchObject({ brokers: 1 });
  });

  it.each(['0', '2', '4', '-3', 'three', ''])('refuses %j as a number of brokers', (count) => {
    expect(parse(`--brokers=${count}`)).toContain('The number of brokers is 1 or 3.');
  });

  it('refuses what it does not know', () => {
    expect(parse('--replicas', '2')).toContain("unknown option '--replicas'");
    expect(parse('start')).toContain('too many arguments');
  });

  it('explains itself', () => {
    expect(parse('--help')).toContain('Starts a real Apache Kafka on this machine.');
  });
});
