/**
 * Which parts of a slow stage of CI are to run: `tsx scripts/covered.ts NAME [PART …]` prints them, one a line, and says on standard error
 * why. All of them if CI_ALL is 1, or if what the stage covers changed since CI_BASE (default: the last 20 commits), or if that is not known.
 */
import { join } from 'node:path';
import { changedSince, seedOf } from './ci/changes';
import { choose } from './ci/choice';
import { slowStages } from './ci/slow-stages';

const ROOT = join(__dirname, '..');
const DEFAULT_BASE = 'HEAD~20';

const [name = '', ...examples] = process.argv.slice(2);
const stage = slowStages(ROOT, examples)[name];
if (stage === undefined) {
  process.stderr.write(`There is no slow stage "${name}".\n`);
  process.exit(1);
}
const given = process.env['CI_BASE'] ?? '';
const base = given === '' ? DEFAULT_BASE : given;
const { parts, why } = choose(name, stage, {
  all: process.env['CI_ALL'] === '1',
  changed: changedSince(ROOT, base),
  base: given === '' ? `20 commits ago (${base})` : base,
  seed: seedOf(ROOT),
});
process.stderr.write(`${why}\n`);
process.stdout.write(parts.map((part) => `${part}\n`).join(''));
