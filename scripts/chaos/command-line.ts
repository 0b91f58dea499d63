import { Command, InvalidArgumentError } from 'commander';

export interface ChaosCommand {
  readonly seconds: number;
  readonly seed: number;
  readonly standbys: number;
  readonly threads: number;
  /** Words in the names of planted mistakes; empty: none is planted. */
  readonly plant: string;
  readonly plan: boolean;
  readonly keep: boolean;
  readonly story: boolean;
}

function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    if (/^\d+$/.test(text) && Number(text) >= least && Number.isSafeInteger(Number(text))) return Number(text);
    throw new InvalidArgumentError(`It is a whole number from ${least}.`);
  };
}

/** Reads the arguments of `npm run chaos -- …`. Ends the process on --help and on a mistake, as commander does; tests override that. */
export function parseChaosCommand(args: readonly string[], prepare: (command: Command) => void = () => {}): ChaosCommand {
  const command = new Command('npm run chaos --')
    .description('Three instances on three real brokers, and everything that can fail, at random; then counts what was lost and doubled.')
    .option('--seconds <n>', 'for how long there are faults', wholeNumber(10), 60)
    .option('--seed <n>', 'of all that is drawn: the same seed, the same schedule', wholeNumber(0), 1)
    .option('--standbys <n>', 'copies of each state on other instances', wholeNumber(0), 1)
    .option('--threads <n>', 'threads of the instance that is no static member', wholeNumber(1), 1)
    .option('--plan', 'only print the schedule', false)
    .option('--story', 'print what happens as it happens', false)
    .option('--keep', 'leave logs and state where they are, also when all is well', false)
    .option('--plant <words>', 'run a copy with the planted mistakes (docs/simulation.md) whose names hold these words', '')
    .allowExcessArguments(false);
  prepare(command);
  return command.parse(args, { from: 'user' }).opts<ChaosCommand>();
}
