import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCodes } from '../../src/errors/codes';

const root = join(__dirname, '..', '..');
const codes = Object.keys(errorCodes);

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return entry.name.endsWith('.ts') && entry.name !== 'codes.ts' ? [readFileSync(path, 'utf8')] : [];
  });
}

describe('the error codes', () => {
  it('have an entry each in docs/errors.md, and no other has one', () => {
    const documented = [...readFileSync(join(root, 'docs', 'errors.md'), 'utf8').matchAll(/^### (.+)$/gm)].map(([, code]) => code);
    expect(documented.sort()).toEqual([...codes].sort());
  });

  it('are each used by somebody', () => {
    const all = [...sources(join(root, 'src')), ...sources(join(root, 'operators'))].join('\n');
    expect(codes.filter((code) => !all.includes(`'${code}'`))).toEqual([]);
  });
});
