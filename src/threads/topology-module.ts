import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MillraceError } from '../errors/millrace-error';
import type { Policy } from '../model/policy';
import type { Topology } from '../task/topology';
import { loadModule } from './load-module';

/** A topology by the file it is in, which a worker thread or a command line can load. Made by `topologyModule`; nominal. */
export class TopologyModule {
  declare private readonly topologyModule: true;

  /** @internal */
  constructor(
    readonly url: string,
    readonly exportName: string | undefined,
  ) {}
}

/** What a topology module may export as `options`, beside its topology: functions, which cannot be handed to a thread. */
export interface TopologyModuleOptions {
  /** As the option of `millrace()`, which is left out then. */
  readonly onProcessingError?: Policy;
}

/** What was found in a topology module. */
export interface LoadedTopology {
  readonly topology: Topology;
  readonly options: TopologyModuleOptions;
}

const OPTIONS: readonly (keyof TopologyModuleOptions)[] = ['onProcessingError'];

/** While a program is run from its sources, `./topology.js` is still `./topology.ts`. */
const SOURCES: Readonly<Record<string, string>> = { '.js': '.ts', '.mjs': '.mts', '.cjs': '.cts' };

/**
 * Names a topology by its module, a file URL or a path from the working directory: of CommonJS, an ES module, or TypeScript if the process
 * was started with a loader (`node --import tsx`). Its export `exportName`; without one `topology`, else the default export. Loaded when it is
 * run: once, or with `threads` in each thread. The module may also export `options` (see `TopologyModuleOptions`).
 *
 * @throws CONFIG for a URL that is no file's
 * @example
 * const app = millrace({ applicationId: 'page-analytics', brokers: ['localhost:9092'], threads: 4 });
 * app.run(topologyModule(new URL('./topology.js', import.meta.url))).subscribe();
 */
export function topologyModule(module: URL | string, exportName?: string): TopologyModule {
  const given = String(module);
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(given)?.[1]?.toLowerCase();
  if (scheme === undefined) return new TopologyModule(pathToFileURL(resolve(given)).href, exportName);
  if (scheme === 'file') return new TopologyModule(given, exportName);
  throw new MillraceError('CONFIG', `the topology module ${given} is no file: give its path or its file URL`);
}

/** @throws TOPOLOGY_MODULE_NOT_FOUND, TOPOLOGY_MODULE_FAILED, TOPOLOGY_EXPORT, CONFIG */
export async function loadTopology(module: TopologyModule): Promise<LoadedTopology> {
  const file = fileOf(module);
  const exported = await loadModule(file);
  const found = topologyIn(exported, module.exportName);
  if (typeof found !== 'function') throw exportError(file, exported, module.exportName, found);
  return { topology: found as Topology, options: optionsIn(file, exported) };
}

function fileOf({ url }: TopologyModule): string {
  const file = fileURLToPath(url);
  if (existsSync(file)) return file;
  const ending = /\.[cm]?js$/.exec(file)?.[0] ?? '';
  const source = file.slice(0, file.length - ending.length) + (SOURCES[ending] ?? '');
  if (source !== file && existsSync(source)) return source;
  throw new MillraceError(
    'TOPOLOGY_MODULE_NOT_FOUND',
    `there is no file ${file}, named as the module of the topology; a path is looked for from the working directory ${process.cwd()}, ` +
      "new URL('./topology.js', import.meta.url) from the file it is written in",
  );
}

function topologyIn(exported: Exports, name: string | undefined): unknown {
  if (name !== undefined) return exported.get(name);
  return exported.get('topology') ?? exported.get('default');
}

type Exports = ReadonlyMap<string, unknown>;

function exportError(file: string, exported: Exports, name: string | undefined, found: unknown): MillraceError {
  const wanted = name ?? 'topology';
  const names = [...exported.keys()].sort().join(', ');
  const said =
    found === undefined
      ? `${file} has no export "${wanted}"${name === undefined ? ', and no default export' : ''}; it exports ${names === '' ? 'nothing' : names}`
      : `the topology that ${file} exports must be a function of a task; it is ${found === null ? 'null' : `of type ${typeof found}`}`;
  return new MillraceError('TOPOLOGY_EXPORT', `${said}. Export it as \`topology\`, or name its export: topologyModule(file, 'name')`);
}

function optionsIn(file: string, exported: Exports): TopologyModuleOptions {
  const options = exported.get('options');
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null) {
    throw new MillraceError('CONFIG', `the export "options" of ${file} must be an object with ${OPTIONS.join(', ')}`);
  }
  const unknown = Object.keys(options).filter((option) => !OPTIONS.includes(option as keyof TopologyModuleOptions));
  if (unknown.length > 0) {
    throw new MillraceError(
      'CONFIG',
      `the export "options" of ${file} has ${unknown.join(', ')}: only ${OPTIONS.join(', ')} can be given there, all else is an option of millrace()`,
    );
  }
  return options;
}

/** A configuration with the functions of a topology module. @throws CONFIG for an option that is given twice */
export function withModuleOptions<C extends { readonly onProcessingError: Policy }>(
  config: C,
  { onProcessingError }: TopologyModuleOptions,
): C {
  if (onProcessingError === undefined) return config;
  if (config.onProcessingError === 'fail') return { ...config, onProcessingError };
  throw new MillraceError('CONFIG', 'onProcessingError is given to millrace() and by the topology module: leave one of them out', {
    where: { option: 'onProcessingError' },
  });
}
