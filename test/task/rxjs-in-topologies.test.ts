/** docs/rxjs.md, row by row: what the runtime does with each operator and creation function of RxJS in a topology. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as rxjs from 'rxjs';

import { noted } from './rxjs/noted';
import { play, playThenCopy, type Row } from './rxjs/row';
import { safe } from './rxjs/safe';
import { fails, pauses, refused, silent } from './rxjs/stops';
import { earlier, late, outside } from './rxjs/warned';

const titled = (rows: readonly Row[]): [string, Row][] =>
  rows.map((row, at) => [
    `${row.names.join(', ')}${rows.findIndex(({ names }) => names[0] === row.names[0]) === at ? '' : ` (${String(at)})`}`,
    row,
  ]);

const withoutRestart = ({ topology, steps }: Row): Pick<Row, 'topology' | 'steps'> => ({ topology, steps: steps.replace('↻ ', '') });
/** All that came out, as one text. */
const together = (comesOut: string): string => comesOut.replace(/[- ]/g, '');

beforeAll(() => {
  jest.useFakeTimers();
});
afterAll(() => {
  jest.useRealTimers();
});

describe('safe in a topology: the same for each record, under strict and after a restart too', () => {
  it.each(titled(safe))('%s', async (_, row) => {
    const played = await play(row, false);
    expect(played).toEqual({ comesOut: row.comesOut, warnings: [] });
    expect(await play(row, true)).toEqual(played);
    expect(together((await play(withoutRestart(row), false)).comesOut)).toBe(together(row.comesOut));
  });
});

describe('noted in a topology: no warning, strict allows it, and what it remembers is gone after a restart', () => {
  it.each(titled(noted))('%s', async (_, row) => {
    const played = await play(row, false);
    expect(played).toEqual({ comesOut: row.comesOut, warnings: [] });
    expect(await play(row, true)).toEqual(played);
    expect(together((await play(withoutRestart(row), false)).comesOut)).not.toBe(together(row.comesOut));
  });
});

describe('warned of once, and refused under strict before anything of that push is committed', () => {
  const kinds = [
    ['an output that belongs to an earlier record', earlier, 'OUTPUT_OUTSIDE_PUSH', 'belongs to an earlier record'],
    ['an output outside a push', outside, 'OUTPUT_OUTSIDE_PUSH', 'comes outside a push'],
    ['a late subscription', late, 'LATE_SUBSCRIPTION', '"input" was subscribed after the topology had been assembled'],
  ] as const;

  describe.each(kinds)('%s', (_kind, rows, code, message) => {
    it.each(titled(rows))('%s', async (_, row) => {
      const { comesOut, warnings } = await play(row, false);
      expect(comesOut).toBe(row.comesOut);
      expect(warnings).toEqual([{ code, message: expect.stringContaining(message) }]);
      const strict = (await play(row, true)).comesOut.split(' ');
      expect(strict.pop()).toBe(`!${code}`);
      expect(row.comesOut.split(' ').slice(0, strict.length)).toEqual(strict);
    });
  });
});

describe('pauses the partition at the record', () => {
  it.each(titled(pauses))('%s', async (_, row) => {
    expect((await play(row, false)).comesOut).toBe(row.comesOut);
    expect((await play(row, true)).comesOut).toBe(row.comesOut);
  });

  it.each(titled(pauses))('%s, and nothing is lost', async (_, row) => {
    const before = row.comesOut.split(' ').slice(0, -1);
    const after = row.steps.split(' ').slice(before.length);
    expect((await playThenCopy(row)).join('')).toBe(together(before.join('') + after.join('').replace(/[^a-zA-Z]/g, '')));
  });
});

describe('ends the run with an error', () => {
  it.each(titled(fails))('%s', async (_, row) => {
    expect((await play(row, false)).comesOut).toBe(row.comesOut);
    expect((await play(row, true)).comesOut).toBe(row.comesOut);
  });
});

describe('silent for ever: a stream of a topology has no end', () => {
  it.each(titled(silent))('%s', async (_, row) => {
    expect(await play(row, false)).toEqual({ comesOut: row.comesOut, warnings: [] });
    expect(together(row.comesOut)).toBe('');
  });
});

describe('refused before anything runs', () => {
  it.each(titled(refused))('%s', async (_, row) => {
    expect((await play(row, false)).comesOut).toBe(row.comesOut);
  });
});

describe('docs/rxjs.md', () => {
  const headings = ['Safe', 'Noted', 'Warned', 'Pauses', 'Fails', 'Silent', 'Refused', 'No operators'] as const;
  const [SAFE, NOTED, WARNED, PAUSES, FAILS, SILENT, REFUSED, NONE] = headings;
  const documented = readFileSync(join(__dirname, '..', '..', 'docs', 'rxjs.md'), 'utf8')
    .split(/^## /m)
    .flatMap((section) => {
      const heading = headings.find((each) => section.startsWith(each)) ?? '';
      const cells = section.split('\n').flatMap((line) => (line.startsWith('| `') ? [line.slice(1, line.indexOf('|', 1))] : []));
      return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => `${heading}: ${name!}`));
    });

  const named = (heading: string, ...rows: readonly (readonly Row[])[]): string[] =>
    rows.flat().flatMap(({ names }) => names.map((name) => `${heading}: ${name}`));

  it('names everything that rxjs exports, and nothing else', () => {
    const exported = new Set([...Object.keys(rxjs)]);
    expect([...new Set(documented.map((entry) => entry.slice(entry.indexOf(': ') + 2)))].sort()).toEqual([...exported].sort());
  });

  it('has each name in the groups in which it was tested', () => {
    const tested = [
      ...named(SAFE, safe),
      ...named(NOTED, noted),
      ...named(WARNED, earlier, outside, late),
      ...named(PAUSES, pauses),
      ...named(FAILS, fails),
      ...named(SILENT, silent),
      ...named(REFUSED, refused),
    ];
    const claimed = documented.filter((entry) => !entry.startsWith(NONE));
    expect([...new Set(claimed)].sort()).toEqual([...new Set(tested)].sort());
  });

  it('has each name once in a group', () => {
    expect(documented.filter((entry, at) => !entry.startsWith(WARNED) && documented.indexOf(entry) !== at)).toEqual([]);
  });
});
