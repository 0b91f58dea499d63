import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { transformSync } from '@swc/core';
import { type AwaitSite, instrument } from './instrument';
import type { SourcePatch } from './source-patch';
import { standIns } from './stand-ins';

/** Sources that run as they are, in plain JavaScript, with every await in sight of the simulation. */
export interface Build {
  readonly folder: string;
  readonly sites: readonly AwaitSite[];
}

const ROOT = resolve(__dirname, '..', '..');
const CACHE = join(ROOT, 'node_modules', '.cache', 'millrace-simulate');
const COPIED = ['src', 'operators', join('scripts', 'simulate')];
/** Where an await may be cut. */
const CUT = ['src/kafka/', 'src/task/', 'src/commit/', 'src/state/'];
/** Builds that are kept: of this state of the sources, and of some before. */
const KEPT = 12;
const SITES = 'sites.json';

/** @throws when the text of a patch is not found exactly once */
export function build(patches: readonly SourcePatch[] = []): Build {
  const sources = patched(readSources(), [...standIns, ...patches]);
  const hash = createHash('sha256');
  for (const [file, source] of sources) hash.update(file).update('\0').update(source).update('\0');
  const folder = join(CACHE, hash.digest('hex').slice(0, 16));
  if (!existsSync(folder)) make(folder, sources);
  if (patches.length === 0) forgetOthers(folder);
  return { folder, sites: JSON.parse(readFileSync(join(folder, SITES), 'utf8')) as AwaitSite[] };
}

function readSources(): Map<string, string> {
  const files = COPIED.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  return new Map(
    files
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
      .sort()
      .map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]),
  );
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

function make(folder: string, sources: ReadonlyMap<string, string>): void {
  const unfinished = `${folder}.${process.pid}`;
  const sites: AwaitSite[] = [];
  for (const [file, source] of sources) {
    const text = CUT.some((part) => file.startsWith(part)) ? instrument(file, source, sites) : source;
    const target = join(unfinished, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, transpiled(file, text));
  }
  writeFileSync(join(unfinished, SITES), JSON.stringify(sites));
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
function forgetOthers(folder: string): void {
  const others = readdirSync(CACHE)
    .map((name) => join(CACHE, name))
    .filter((each) => each !== folder)
    .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
  for (const each of others.slice(0, Math.max(0, others.length - KEPT))) rmSync(each, { recursive: true, force: true });
}
