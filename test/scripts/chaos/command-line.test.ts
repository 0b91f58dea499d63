import { parseChaosCommand } from '../../../scripts/chaos/command-line';

const parse = (...args: string[]): ReturnType<typeof parseChaosCommand> =>
  parseChaosCommand(args, (command) => command.exitOverride().configureOutput({ writeErr: () => undefined }));

describe('npm run chaos', () => {
  it('takes a time and a seed', () => {
    expect(parse('--seconds', '600', '--seed', '4')).toMatchObject({ seconds: 600, seed: 4, plant: '', plan: false });
  });

  it('has a minute and seed 1 when nothing is said', () => {
    expect(parse()).toMatchObject({ seconds: 60, seed: 1 });
  });

  it.each([['--seconds', '9'], ['--seconds', 'ten'], ['--seed', '-1'], ['--seed', '1.5'], ['--loud']])('refuses %s %s', (...args) => {
    expect(() => parse(...args)).toThrow();
  });
});
