import { execFile } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { loadTopology, topologyModule } from '../../src/threads/topology-module';
import { options, other, topology } from './modules/topology';

const inModules = (name: string): string => path.join(__dirname, 'modules', name);
const load = (name: string, exportName?: string) => loadTopology(topologyModule(inModules(name), exportName));

describe('a topology module', () => {
  it('is named by a path, a file URL or its text; its topology is the export of that name, options are with it', async () => {
    for (const named of [inModules('topology.ts'), pathToFileURL(inModules('topology.ts')), pathToFileURL(inModules('topology.ts')).href]) {
      expect(await loadTopology(topologyModule(named))).toEqual({ topology, options });
    }
    expect(topologyModule('test/a.js').url).toBe(pathToFileURL(path.resolve('test/a.js')).href);
  });

  it('another export is named', async () => {
    expect((await load('topology.ts', 'other')).topology).toBe(other);
  });

  it('what CommonJS assigns to module.exports is the default export', async () => {
    expect((await load('assigned.cjs')).topology.name).toBe('assigned');
    expect((await load('assigned.cjs', 'default')).topology.name).toBe('assigned');
  });

  it('a name with the ending of what is compiled finds the source while there is nothing else', async () => {
    expect((await load('topology.js')).topology).toBe(topology);
  });

  it('a module that is not there is TOPOLOGY_MODULE_NOT_FOUND', async () => {
    await expect(load('nowhere.js')).rejects.toMatchObject({ code: 'TOPOLOGY_MODULE_NOT_FOUND' });
    await expect(load('nowhere.js')).rejects.toThrow(inModules('nowhere.js'));
  });

  it('an export that is not there is TOPOLOGY_EXPORT, with what there is', async () => {
    await expect(load('topology.ts', 'typo')).rejects.toMatchObject({ code: 'TOPOLOGY_EXPORT' });
    await expect(load('topology.ts', 'typo')).rejects.toThrow('no export "typo"; it exports number, options, other, topology');
  });

  it('an export that is no function is TOPOLOGY_EXPORT', async () => {
    await expect(load('topology.ts', 'number')).rejects.toMatchObject({ code: 'TOPOLOGY_EXPORT' });
    await expect(load('topology.ts', 'number')).rejects.toThrow('it is of type number');
  });

  it('what a module throws is the cause of TOPOLOGY_MODULE_FAILED', async () => {
    await expect(load('throwing.cjs')).rejects.toMatchObject({
      code: 'TOPOLOGY_MODULE_FAILED',
      cause: { message: 'no such thing as a free lunch' },
    });
  });

  it('options that are no functions have no place in it', async () => {
    await expect(load('options.cjs')).rejects.toThrow('CONFIG: the export "options" of');
    await expect(load('options.cjs')).rejects.toThrow('has commitInterval');
  });

  it('a URL that is no file is refused at once', () => {
    expect(() => topologyModule('https://example.org/topology.js')).toThrow('is no file');
  });
});

/** In a process of its own: within Jest nothing can be imported. */
describe('a topology module in a process without Jest', () => {
  const program = (name: string, exportName?: string): string => `
    const { loadTopology, topologyModule } = require(${JSON.stringify(path.resolve('src/threads/topology-module.ts'))});
    const { MillraceError } = require(${JSON.stringify(path.resolve('src/errors/millrace-error.ts'))});
    loadTopology(topologyModule(${JSON.stringify(inModules(name))}, ${JSON.stringify(exportName)})).then(
      ({ topology }) => console.log(typeof topology),
      (error) => console.log(error instanceof MillraceError, error.message),
    );`;
  const run = async (text: string): Promise<string> => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--eval', text]);
    return stdout.trim();
  };

  it('may be an ES module, with await at its top', async () => {
    expect(await run(program('ecma-script.mjs'))).toBe('function');
    expect(await run(program('ecma-script.mjs', 'default'))).toBe('function');
    expect(await run(program('ecma-script.mjs', 'typo'))).toMatch('true TOPOLOGY_EXPORT');
  });

  it('in a worker thread TypeScript is read by the loader of the process', async () => {
    const inWorker = program('topology.ts').replaceAll('require(', `createRequire('file:///')(`);
    const url = `data:text/javascript,${encodeURIComponent(`import { createRequire } from 'node:module';${inWorker}`)}`;
    const worker = `new (require('node:worker_threads').Worker)(new URL(${JSON.stringify(url)}))`;
    expect(await run(worker)).toBe('function');
  });
});
