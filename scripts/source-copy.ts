import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { transformSync } from '@swc/core';

/** A change of one source, for one run: its text must be found exactly once. */
export interface SourcePatch {
  /** Path from the root of the project. */
  readonly file: string;
  readonly text: string;
  readonly becomes: string;
}

export interface SourceCopyOptions {
  /** Folders of the project whose TypeScript is copied. */
  readonly folders: readonly string[];
  /** Name of the place below `node_modules/.cache`. */
  readonly cache: string;
  /** Copies that are left there: others may be running on theirs. */
  readonly kept: number;
  readonly patches: readonly SourcePatch[];
  /** What becomes of a source on its way into a copy. */
  readonly changed?: (file: string, source: string) => string;
  /** Called when all sources have been changed: one more file of the copy. */
  readonly beside?: () => { readonly file: string; readonly content: string };
}

const ROOT = resolve(__dirname, '..');

/**
 * A copy of the sources in plain JavaScript, with patches in it, laid out as the project is. Processes start from it in a fraction of the
 * time, and go on undisturbed when the sources are edited meanwhile. The same sources and patches: the same copy, made once.
 *
 * @returns its folder
 * @throws when the text of a patch is not found exactly once
 */
export function copySources(options: SourceCopyOptions): string {
  const sources = patched(readSources(options.folders), options.patches);
  const hash = createHash('sha256');
  for (const [file, source] of sources) hash.update(`${file}\0${source}\0`);
  const place = join(ROOT, 'node_modules', '.cache', options.cache);
  const folder = join(place, hash.digest('hex').slice(0, 16));
  if (!existsSync(folder)) make(folder, sources, options);
  forgetOthers(place, folder, options.kept);
  return folder;
}

function readSources(folders: readonly string[]): Map<string, string> {
  const files = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  const typed = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')).sort();
  return new Map(typed.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
}

function patched(sources: Map<string, string>, patches: readonly SourcePatch[]): Map<string, string> {
  for (const { file, text, becomes } of patches) {
    const source = sources.get(file) ?? '';
    const found = source.split(text).length - 1;
    if (found !== 1) throw new Error(`"${text}" is found ${found} times in ${file}: the patch must follow the source`);
    sources.set(
      file,
      source.replace(text, () => becomes),
    );
  }
  return sources;
}

function make(folder: string, sources: ReadonlyMap<string, string>, { changed, beside }: SourceCopyOptions): void {
  const unfinished = `${folder}.${process.pid}`;
  for (const [file, source] of sources) {
    const target = join(unfinished, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, transpiled(file, changed?.(file, source) ?? source));
  }
  const other = beside?.();
  if (other !== undefined) writeFileSync(join(unfinished, other.file), other.content);
  cpSync(join(ROOT, 'package.json'), join(unfinished, 'package.json'));
  // Another process may have made the same meanwhile.
  if (existsSync(folder)) rmSync(unfinished, { recursive: true });
  else renameSync(unfinished, folder);
}

function transpiled(file: string, source: string): string {
  return transformSync(source, {
    filename: file,
    swcrc: false,
    configFile: false,
    isModule: true,
    sourceMaps: 'inline',
    module: { type: 'commonjs' },
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
  }).code;
}

/** The oldest go first: others may be running. */
function forgetOthers(place: string, folder: string, kept: number): void {
  const others = readdirSync(place)
    .map((name) => join(place, name))
    .filter((each) => each !== folder)
    .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
  for (const each of others.slice(0, Math.max(0, others.length - kept))) rmSync(each, { recursive: true, force: true });
}
