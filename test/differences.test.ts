/** docs/differences.md: the names it promises are there, its figures are those of the recordings, and no known defect is left out. */
import { readdirSync, readFileSync } from 'node:fs';
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

interface Recordings {
  readonly cases?: readonly unknown[];
  readonly knownDefects?: readonly { readonly name: string; readonly defect: string }[];
  readonly [table: string]: unknown;
}

const VECTORS = 'test/vectors';
const recordings = new Map(
  readdirSync(join(ROOT, VECTORS))
    .filter((file) => file.endsWith('.json'))
    .map((file) => [file, JSON.parse(read(join(VECTORS, file))) as Recordings]),
);

/** Of a file without cases each row of each table is one. */
function casesIn({ cases, ...tables }: Recordings): number {
  if (cases !== undefined) return cases.length;
  return Object.values(tables).reduce<number>((sum, table) => sum + (Array.isArray(table) ? table.length : 0), 0);
}

/** How the page begins to speak of a defect, by how the recordings begin to. */
const DEFECTS = {
  'With the default retention the window store no longer shows': 'With default retention a store hides windows',
  'Each stream decides lateness by its own stream time': '`cogroup` in windows: each stream is late by its own stream time',
  'Accepted by the DSL, fails at the first record': 'Sliding windows with a time difference of 0',
  'The join store hides rows with ts <=': 'A join store hides one row too many',
  'Unmatched rows come late': 'Rows of a left or outer join that have met nobody come out late',
  'KAFKA-19536': 'KAFKA-19536',
  'KAFKA-16123': 'KAFKA-16123',
  'The buffer refuses a null key': 'A left join with a table that waits for a grace fails at a null key',
  'suppress(untilWindowCloses) emits a window at end <= S - grace': '`suppress` until windows close',
};

const page = read('docs/differences.md');
const tabled = [...page.matchAll(/^\| `([\w-]+\.json)`.*\| (\d+) +\|$/gm)].map(([, file, cases]): [string, number] => [
  file!,
  Number(cases),
]);

const defects = tabled.flatMap(([file]) =>
  (recordings.get(file)?.knownDefects ?? []).map(({ name, defect }): [string, string] => [`${file}: ${name}`, defect]),
);

describe('docs/differences.md', () => {
  const words = new Set(
    [
      ...[...DECLARED, 'operators/fold/options.ts']
        .map(read)
        .join('\n')
        .matchAll(/\w+\$?/g),
    ].map(([word]) => word),
  );

  it('names every file of recordings: what is the same, or not there yet', () => {
    const [, section] = page.split(/^## Not there yet$/m);
    const missing = [...section!.split(/^## /m)[0]!.matchAll(/`([\w-]+\.json)`/g)].map(([, file]) => file!);
    expect([...tabled.map(([file]) => file), ...missing].sort()).toEqual([...recordings.keys()].sort());
  });

  it.each(tabled)('%s: as many cases as it says', (file, cases) => {
    expect(casesIn(recordings.get(file)!)).toBe(cases);
  });

  it('calls the same what CI compares, and nothing else', () => {
    const [, compared] = /^readonly THE_SAME="(.*)"$/m.exec(read('.ci/run')) ?? [];
    expect(compared?.split(' ').map((name) => `${name}.json`)).toEqual(tabled.map(([file]) => file));
  });

  it.each(defects)('%s is spoken of', (_, defect) => {
    const [, said] = Object.entries(DEFECTS).find(([beginning]) => defect.startsWith(beginning)) ?? [];
    expect(said).toBeDefined();
    expect(page).toContain(`| ${said!}`);
  });

  it('counts the recordings of what retention hides', () => {
    const [beginning, said] = Object.entries(DEFECTS)[0]!;
    const row = page.split('\n').find((line) => line.startsWith(`| ${said}`));
    expect(row).toContain(` ${String(defects.filter(([, defect]) => defect.startsWith(beginning)).length)} recordings.`);
  });

  it('has a table of names', () => {
    expect(promisedNames().length).toBeGreaterThan(40);
  });

  it.each(promisedNames())('%s: %s', (_, name) => {
    expect(words.has(name) || name in rxjs).toBe(true);
  });
});
