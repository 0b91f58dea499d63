import { execFileSync } from 'node:child_process';

function git(folder: string, ...words: string[]): string {
  return execFileSync('git', words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Files that differ from a commit, those that are not committed included; undefined when it is not there, in a shallow clone say. */
export function changedSince(folder: string, base: string): readonly string[] | undefined {
  try {
    git(folder, 'rev-parse', '--verify', '--quiet', `${base}^{commit}`);
    return [...lines(git(folder, 'diff', '--name-only', base, '--')), ...lines(git(folder, 'ls-files', '--others', '--exclude-standard'))];
  } catch {
    return undefined;
  }
}

/** A number that is another one at the next commit; 0 without git. */
export function seedOf(folder: string): number {
  try {
    return Number.parseInt(git(folder, 'rev-parse', 'HEAD').slice(0, 8), 16);
  } catch {
    return 0;
  }
}
