/** docs/joins.md: its programs are the files of test/docs/joins, which run as tests. What its table says is in joins-table.test.ts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as operators from '../../operators';

const page = readFileSync(join(__dirname, '..', '..', 'docs', 'joins.md'), 'utf8');
const folder = join(__dirname, 'joins');
const blocks = new Map(
  [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, text = '']): [string, string] => [/^\/\/ (\S+\.ts)\n/.exec(text)?.[1] ?? '', text]),
);

describe('docs/joins.md', () => {
  it('shows the files that run as tests, all of them', () => {
    expect([...blocks.keys()].sort()).toEqual(readdirSync(folder).sort());
  });

  it.each([...blocks])('shows %s as it is', (name, text) => {
    expect(text).toBe(readFileSync(join(folder, name), 'utf8'));
  });

  it('has every join in its table, and an example of each', () => {
    const joins = Object.keys(operators).filter((name) => name.startsWith('join'));
    const [head] = page.split('\n').filter((line) => line.startsWith('|'));
    const examples = [...blocks.values()].join('\n');
    for (const name of joins) {
      expect(head).toContain(`\`${name}\``);
      expect(examples).toContain(`${name}(`);
    }
  });

  it.each([...page.matchAll(/\]\((?!https?:)([^)#]*)(#[^)]+)?\)/g)].map(([, file = '', anchor = '']): [string, string] => [file, anchor]))(
    'links to %s%s, which there is',
    (file, anchor) => {
      const text = file === '' ? page : readFileSync(join(__dirname, '..', '..', 'docs', file), 'utf8');
      const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(
        ([, heading = '']) =>
          `#${heading
            .toLowerCase()
            .replace(/[^\w\s-]/g, '')
            .replace(/\s/g, '-')}`,
      );
      expect(['', ...headings]).toContain(anchor);
    },
  );
});
