import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { transformSync } from '@swc/core';
import type { SourcePatch } from '../simulate/source-patch';

const ROOT = resolve(__dirname, '..', '..');
const CACHE = join(ROOT, 'node_modules', '.cache', 'millrace-chaos');
const COPIED = ['src', 'operators', join('scripts', 'chaos'), join('scripts', 'simulate')];
/** Others may be running on theirs. */
const KEPT = 8;

/**
 * A copy of the sources in plain JavaScript, with patches in it: instances start in a fraction of the time, and go on undisturbed when the
 * sources are edited meanwhile. Gives its folder, laid out as the project is.
 *
 * @throws when the text of a patch is not found exactly once
 */
export function buildCopy(patches: readonly SourcePatch[] = []): string {
  const sources = readSources();
  for (const { file, text, becomes } of patches) sources.set(file, patched(sources.get(file) ?? '', file, text, becomes));
  const hash = createHash('sha256');
  for (const [file, source] of sources) hash.update(`${file}\0${source}\0`);
  const folder = join(CACHE, hash.digest('hex').slice(0, 16));
  if (!existsSync(folder)) make(folder, sources);
  forgetOthers(folder);
  return folder;
}

function readSources(): Map<string, string> {
  const files = COPIED.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  const typed = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')).sort();
  return new Map(typed.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
}

function patched(source: string, file: string, text: string, becomes: string): string {
  const found = source.split(text).length - 1;
  if (found !== 1) throw new Error(`"${text}" is found ${found} times in ${file}: the patch must follow the source`);
  return source.replace(text, () => becomes);
}

function make(folder: string, sources: ReadonlyMap<string, string>): void {
  const unfinished = `${folder}.${process.pid}`;
  for (const [file, source] of sources) {
    const target = join(unfinished, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, transpiled(file, source));
  }
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

function forgetOthers(folder: string): void {
  const others = readdirSync(CACHE)
    .map((name) => join(CACHE, name))
    .filter((each) => each !== folder)
    .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
  for (const each of others.slice(0, Math.max(0, others.length - KEPT))) rmSync(each, { recursive: true, force: true });
}
