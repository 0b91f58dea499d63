/** docs/differences.md promises names: each of them is there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as rxjs from 'rxjs';

const ROOT = join(__dirname, '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** Where what users name is declared: exports, options, members of handles. */
const DECLARED = ['index', 'testing/index', 'app', 'config', 'model/topic', 'task/topology', 'state/definition'].map(
  (file) => `src/${file}.ts`,
);

/** The second column of the table of names, as [Kafka Streams' name, name of ours]. */
function promisedNames(): [string, string][] {
  const [, table] = read('docs/differences.md').split(/^## Names$/m);
  const rows = table!.split('\n').filter((line) => line.startsWith('| `') || line.startsWith('| ('));
  return rows.flatMap((line) => {
    const [, theirs, ours] = line.split('|').map((cell) => cell.trim()) as [string, string, string];
    return [...ours.matchAll(/`(\w+\$?)[^`]*`/g)].map(([, name]): [string, string] => [theirs, name!]);
  });
}

describe('docs/differences.md', () => {
  const words = new Set(
    [
      ...[...DECLARED, 'operators/fold/options.ts']
        .map(read)
        .join('\n')
        .matchAll(/\w+\$?/g),
    ].map(([word]) => word),
  );

  it('has a table of names', () => {
    expect(promisedNames().length).toBeGreaterThan(40);
  });

  it.each(promisedNames())('%s: %s', (_, name) => {
    expect(words.has(name) || name in rxjs).toBe(true);
  });
});
