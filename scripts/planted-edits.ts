/**
 * Do the vectors notice? `npm run planted-edits` makes one comparison at a time wrong by its bound, in a copy of the sources, and runs the
 * vectors over it. Exit 1 when an edit goes unnoticed, or its text is no longer found.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type PlantedEdit, plantedEdits } from './planted-edits/edits';

const ROOT = resolve(__dirname, '..');
const COPIED = ['src', 'operators', 'scripts', join('test', 'vectors'), 'package.json', 'tsconfig.json'];
const VECTORS = join('test', 'vectors');

interface Verdict {
  readonly isAsItShouldBe: boolean;
  readonly line: string;
}

/** What one worker does in a copy of its own. */
type Work = (copy: string) => Promise<Verdict>;

async function main(): Promise<void> {
  const files = new Set(plantedEdits.map(({ caughtBy }) => caughtBy));
  const verdicts = await inCopies([
    ...[...files].map(
      (vectors): Work =>
        (copy) =>
          unedited(vectors, copy),
    ),
    ...plantedEdits.map(
      (edit): Work =>
        (copy) =>
          judge(edit, copy),
    ),
  ]);
  const missed = verdicts.filter(({ isAsItShouldBe }) => !isAsItShouldBe).length;
  console.log(missed === 0 ? `all ${plantedEdits.length} planted edits were caught` : `${missed} not as they should be`);
  process.exitCode = missed === 0 ? 0 : 1;
}

/** In the order given, some at a time. */
async function inCopies(work: readonly Work[]): Promise<readonly Verdict[]> {
  const left = [...work];
  const verdicts: Verdict[] = [];
  const worker = async (): Promise<void> => {
    const copy = copyOfSources();
    try {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const verdict = await next(copy);
        console.log(verdict.line);
        verdicts.push(verdict);
      }
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
  return verdicts;
}

function copyOfSources(): string {
  const copy = mkdtempSync(join(tmpdir(), 'millrace-planted-'));
  for (const path of COPIED) cpSync(join(ROOT, path), join(copy, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'dir');
  return copy;
}

/** Without it nobody could tell who was caught. */
async function unedited(vectors: string, copy: string): Promise<Verdict> {
  const failed = await failedCases(copy, vectors);
  if (failed.length === 0) return { isAsItShouldBe: true, line: `passes  ${vectors}, unedited` };
  return { isAsItShouldBe: false, line: `FAILS   ${vectors}, unedited: ${failed.length} cases, first ${failed[0]}` };
}

async function judge(edit: PlantedEdit, copy: string): Promise<Verdict> {
  const { rule, file, text, becomes, caughtBy } = edit;
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  const found = source.split(text).length - 1;
  if (found !== 1) return { isAsItShouldBe: false, line: `LOST    ${rule}: "${text}" is found ${found} times in ${file}` };
  writeFileSync(path, source.replace(text, becomes));
  try {
    const failed = await failedCases(copy, caughtBy);
    if (failed.length === 0)
      return { isAsItShouldBe: false, line: `MISSED  ${rule}: "${becomes}" in ${file} fails no case of ${caughtBy}` };
    return { isAsItShouldBe: true, line: `caught  ${rule}: ${caughtBy}, ${failed.length} cases, first ${failed[0]}` };
  } finally {
    writeFileSync(path, source);
  }
}

/** Names of the cases that fail. @throws when the vectors cannot be run at all */
function failedCases(copy: string, vectors: string): Promise<readonly string[]> {
  const args = ['--import', 'tsx', join('scripts', 'vectors.ts'), join(VECTORS, vectors)];
  return new Promise((done, failed) => {
    execFile(process.execPath, args, { cwd: copy, maxBuffer: 64 * 1024 * 1024 }, (error, output, complaint) => {
      const names = [...output.matchAll(/^failed\s+(\S+)/gm)].map(([, name]) => name!);
      const ended = /^\d+ passed, \d+ failed$/m.test(output);
      if (ended && (error === null) === (names.length === 0)) done(names);
      else failed(new Error(`the vectors did not run over the edited sources:\n${output}${complaint}`));
    });
  });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
