import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { damageFolder } from '../../../scripts/chaos/faults/damage';

describe('damage to the disk of an instance', () => {
  let directory: string;
  const inTask = (file: string): string => join(directory, 'app', 'task-3', file);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-damage-'));
    for (const folder of ['notes', 'task-3']) {
      mkdirSync(join(directory, 'app', folder), { recursive: true });
      for (const file of ['CURRENT', 'MANIFEST-000004', '000007.log']) writeFileSync(join(directory, 'app', folder, file), 'x'.repeat(100));
    }
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it.each([
    ['manifest', 'MANIFEST-000004'],
    ['log', '000007.log'],
  ] as const)('puts nonsense into the middle of a %s, in the folder of a task', (damage, file) => {
    expect(damageFolder(directory, damage)).toBe('task-3');
    expect(readFileSync(inTask(file), 'utf8')).toMatch(/^x+nonsense instead of a batchx+$/);
    expect(readFileSync(join(directory, 'app', 'notes', file), 'utf8')).toBe('x'.repeat(100));
  });

  it('takes CURRENT away', () => {
    expect(damageFolder(directory, 'current')).toBe('task-3');
    expect([existsSync(inTask('CURRENT')), existsSync(inTask('000007.log'))]).toEqual([false, true]);
  });

  it('finds nothing to do where there is nothing in a log', () => {
    writeFileSync(inTask('000007.log'), '');
    expect(damageFolder(directory, 'log')).toBeUndefined();
  });
});
