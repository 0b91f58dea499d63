import { parseArgs } from 'node:util';

/** What the command line of a contest says. */
export interface Command {
  readonly against: boolean;
  readonly pin: boolean;
  readonly records: number;
  readonly rounds: number;
  readonly nodeOptions: readonly string[];
  /** Ours in so many threads as well; undefined: in one only. */
  readonly threads: number | undefined;
}

export function commandOf(args: readonly string[]): Command {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { against: text, pin: { type: 'boolean' }, records: text, rounds: text, 'cpu-prof-dir': text, threads: text },
  });
  if (values.against !== undefined && values.against !== 'kafka-streams') {
    throw new Error(`--against takes kafka-streams, not ${values.against}`);
  }
  if (values.threads !== undefined && values.pin === true) throw new Error('--threads needs all cores: run it without --pin');
  const profiles = values['cpu-prof-dir'];
  return {
    threads: values.threads === undefined ? undefined : wholeNumber('threads', values.threads),
    against: values.against !== undefined,
    pin: values.pin ?? false,
    records: wholeNumber('records', values.records ?? '2000000'),
    rounds: wholeNumber('rounds', values.rounds ?? '3'),
    nodeOptions: profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`],
  };
}

function wholeNumber(name: string, given: string): number {
  const value = Number(given);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Error(`--${name} takes a whole number ≥ 1, not ${given}`);
}
