import { Command, InvalidArgumentError } from 'commander';

export interface Options {
  readonly events: number;
  readonly seed: number;
  readonly forever: boolean;
}

function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && Number.isSafeInteger(number)) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${least}.`);
  };
}

/** Reads the arguments of `npm run demo -- …`. Ends the process on --help and on a mistake, as commander does; tests override that. */
export function readOptions(args: readonly string[], prepare: (command: Command) => void = () => undefined): Options {
  const command = new Command('npm run demo --')
    .description('Page views per minute and the ten most viewed pages, exactly once. On Kafka if KAFKA_BROKERS is set, else in memory.')
    .option('--events <count>', 'events to generate, process and check', wholeNumber(1), 100_000)
    .option('--seed <number>', 'the same seed gives the same events', wholeNumber(0), 1)
    .option('--forever', 'go on until Ctrl-C, without the check; in memory nothing is ever thrown away', false)
    .allowExcessArguments(false);
  prepare(command);
  return command.parse(args, { from: 'user' }).opts<Options>();
}
