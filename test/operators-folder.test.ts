/** The folder operators/ keeps its promise: one public operator a file, named as the file, published and tested under that name. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Files of operators/ that hold no public operator: the door, and what operators are written with. */
const NOT_OPERATORS = ['index.ts', 'meeting.ts', 'operator.ts'];

const ROOT = join(__dirname, '..');
const OPERATORS = join(ROOT, 'operators');

function filesWithAnOperator(): string[] {
  return readdirSync(OPERATORS, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !NOT_OPERATORS.includes(entry.name))
    .map((entry) => entry.name.slice(0, -'.ts'.length))
    .sort();
}

const camelCase = (kebab: string): string => kebab.replace(/-([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());

async function valuesExportedBy(file: string): Promise<string[]> {
  return Object.keys((await import(join(OPERATORS, file))) as object).filter((name) => name !== '__esModule' && name !== 'default');
}

describe('operators/', () => {
  it.each(filesWithAnOperator())('%s.ts exports one value, its operator', async (file) => {
    expect(await valuesExportedBy(file)).toEqual([camelCase(file)]);
  });

  it.each(filesWithAnOperator())('%s has a test of its own', (file) => {
    expect(existsSync(join(ROOT, 'test', 'operators', `${file}.test.ts`))).toBe(true);
  });

  it('publishes every operator, and no other value', async () => {
    expect((await valuesExportedBy('index.ts')).sort()).toEqual(filesWithAnOperator().map(camelCase).sort());
  });

  it('has every file that is listed as no operator', () => {
    expect(NOT_OPERATORS.filter((name) => !existsSync(join(OPERATORS, name)))).toEqual([]);
  });
});
