import { readOptions } from '../../../examples/page-analytics/command-line';

const read = (...args: string[]) =>
  readOptions(args, (command) => command.exitOverride().configureOutput({ writeOut: () => undefined, writeErr: () => undefined }));

describe('the arguments of the demo', () => {
  it('have defaults', () => {
    expect(read()).toEqual({ events: 100_000, seed: 1, forever: false });
  });

  it('are read', () => {
    expect(read('--events', '500', '--seed', '7', '--forever')).toEqual({ events: 500, seed: 7, forever: true });
  });

  it.each([['--events', '0'], ['--events', '1.5'], ['--events', 'many'], ['--seed', '-1'], ['--speed', '9'], ['more']])(
    'that are wrong are refused: %s %s',
    (...args) => {
      expect(() => read(...args.filter((arg) => arg !== undefined))).toThrow();
    },
  );
});
