import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MillraceError } from '../errors/millrace-error';

/**
 * What a file exports, by name; `default` is the default export, or what CommonJS assigned to `module.exports`.
 *
 * CommonJS is required, so that it shares its modules (millrace among them) with whoever loads it; TypeScript too: in worker threads the
 * hooks of loaders reach `require` only. ES modules are imported.
 * @throws TOPOLOGY_MODULE_FAILED with what the module threw, or what its format lacks
 */
export async function loadModule(file: string): Promise<ReadonlyMap<string, unknown>> {
  try {
    return exportsOf(isEcmaScript(file) ? await imported(file) : await requiredOrImported(file));
  } catch (cause) {
    throw new MillraceError(
      'TOPOLOGY_MODULE_FAILED',
      `${file}, named as the module of the topology, cannot be loaded: ${reason(file, cause)}`,
      {
        cause,
      },
    );
  }
}

const MUST_BE_IMPORTED = new Set<unknown>(['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE']);

async function requiredOrImported(file: string): Promise<unknown> {
  try {
    return createRequire(file)(file) as unknown;
  } catch (cause) {
    if (!MUST_BE_IMPORTED.has((cause as { readonly code?: unknown }).code)) throw cause;
    return imported(file);
  }
}

/** Compilers to CommonJS turn an `import()` that they see into a `require`. */
// eslint-disable-next-line @typescript-eslint/no-implied-eval
const importModule = new Function('url', 'return import(url)') as (url: string) => Promise<unknown>;

function imported(file: string): Promise<unknown> {
  return importModule(pathToFileURL(file).href);
}

/** By Node's rule for JavaScript: the ending, else the nearest package.json. */
function isEcmaScript(file: string): boolean {
  const ending = extname(file);
  return ending === '.mjs' || (ending === '.js' && nearestPackageType(dirname(file)) === 'module');
}

function nearestPackageType(folder: string): unknown {
  try {
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly type?: unknown }).type;
  } catch {
    const above = dirname(folder);
    return above === folder ? undefined : nearestPackageType(above);
  }
}

function exportsOf(loaded: unknown): ReadonlyMap<string, unknown> {
  if (!isNamespace(loaded)) return new Map([['default', loaded]]);
  const exported = new Map<string, unknown>(Object.entries(loaded));
  const byDefault = exported.get('default');
  // An ES module that was compiled to CommonJS and then imported, or the other way about.
  if (isNamespace(byDefault)) for (const [name, value] of Object.entries(byDefault)) if (!exported.has(name)) exported.set(name, value);
  exported.delete('__esModule');
  if (isNamespace(byDefault) && typeof byDefault['default'] === 'function') exported.set('default', byDefault['default']);
  if (!exported.has('default') && typeof loaded === 'function') exported.set('default', loaded);
  return exported;
}

function isNamespace(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' || typeof value === 'function') && value !== null;
}

function reason(file: string, cause: unknown): string {
  const said = String((cause as { readonly message?: unknown } | null)?.message ?? cause);
  if (!/^\.[cm]?tsx?$/.test(extname(file)) || readsTypeScript(file)) return said;
  return `${said}. It is TypeScript: compile it, or start the process with a loader for it, as in node --import tsx`;
}

function readsTypeScript(file: string): boolean {
  // Deprecated since Node 0.10, and all the same how every loader enters itself.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  return Object.hasOwn(Object(createRequire(file).extensions) as object, '.ts');
}
