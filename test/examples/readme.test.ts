import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transformSync } from '@swc/core';
import { filter, firstValueFrom } from 'rxjs';
import * as rxjsTesting from 'rxjs/testing';
import * as operators from '../../operators';
import * as millrace from '../../src';
import * as testing from '../../src/testing';

const ROOT = join(__dirname, '..', '..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
const fences = (language: string) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, text = '']) => text);

/** The programs of the README by the file name in their first line. */
const files = new Map(fences('ts').map((text) => [/^\/\/ (\S+)\.ts\n/.exec(text)?.[1] ?? '', text]));

/** Runs one of them as a CommonJS module; `replaced` stands in for modules it imports. */
function run(name: string, replaced: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const known: Record<string, unknown> = {
    millrace,
    'millrace/operators': operators,
    'millrace/testing': testing,
    'rxjs/testing': rxjsTesting,
    'io-ts': jest.requireActual('io-ts'),
    ...replaced,
  };
  const { code } = transformSync(files.get(name) ?? '', {
    swcrc: false,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'commonjs' },
  });
  const load = (specifier: string): unknown => known[specifier] ?? run(specifier.replace('./', ''), replaced);
  const exports: Record<string, unknown> = {};
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const module = new Function('require', 'exports', 'it', 'expect', code) as (...given: unknown[]) => void;
  module(load, exports, it, expect);
  return exports;
}

jest.setTimeout(60_000); // a busy machine

describe('the programs in the README', () => {
  it('are three files', () => {
    expect([...files.keys()]).toEqual(['clicks-per-minute', 'clicks-per-minute.test', 'main']);
  });

  it('compile as they are', async () => {
    // Inside the package, so that its own dependencies are found.
    const cache = join(ROOT, 'node_modules', '.cache');
    await mkdir(cache, { recursive: true });
    const folder = await mkdtemp(join(cache, 'readme-'));
    try {
      for (const [name, text] of files) await writeFile(join(folder, `${name}.ts`), text);
      const config = { extends: join(ROOT, 'tsconfig.json'), files: [...files.keys()].map((name) => `${name}.ts`), include: [] };
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
      const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
      const { stdout } = await promisify(execFile)(tsc, ['-p', folder]).catch((error: { stdout: string }) => error);
      // What is wrong in the sources is said by `npm run types`.
      const errors = stdout.split('\n').filter((line) => line.includes('error TS') && !/^(src|operators)\//.test(line));
      expect(errors).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  // Its marble test, as a test of this suite.
  run('clicks-per-minute.test');

  it('run: main, with a broker in memory in place of the one it names', async () => {
    const cluster = millrace.memoryCluster();
    const { clicks, clickCounts } = run('clicks-per-minute') as {
      clicks: millrace.Topic<string, { page: string }>;
      clickCounts: millrace.Topic<millrace.Windowed<string>, number>;
    };
    await cluster.createTopics([clicks, clickCounts].map(({ name }) => ({ name, partitions: 1 })));
    const page = { page: '/' };
    await cluster.write(clicks, [
      testing.record('ada', page, 1_000),
      testing.record('ada', page, 59_999),
      testing.record('bob', page, 70_000),
    ]);

    const apps: millrace.App[] = [];
    const lines: unknown[][] = [];
    const log = jest.spyOn(console, 'log').mockImplementation((...line) => void lines.push(line));
    const interrupts = process.listeners('SIGINT');
    run('main', {
      millrace: {
        ...millrace,
        millrace: ({ brokers, ...config }: millrace.MillraceConfig) => {
          expect(brokers).toEqual(['127.0.0.1:9092']);
          apps.push(millrace.millrace({ ...config, cluster }));
          return apps[0];
        },
      },
    });
    const [app] = apps;
    try {
      await firstValueFrom(app!.outputs(clickCounts));
      for (const listener of process.listeners('SIGINT')) if (!interrupts.includes(listener)) listener('SIGINT');
      await firstValueFrom(app!.state$.pipe(filter((state) => state === 'closed')));
    } finally {
      for (const listener of process.listeners('SIGINT')) if (!interrupts.includes(listener)) process.off('SIGINT', listener);
      await app!.close();
      log.mockRestore();
    }
    expect(lines).toEqual([['ada', '1970-01-01T00:00:00.000Z', 2]]);
  });
});

describe('the commands in the README', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  const commands = [
    ...fences('sh').flatMap((text) => text.trim().split('\n')),
    ...[...readme.matchAll(/`((?:npm|bash) [^`]+)`/g)].map(([, text = '']) => text),
  ];

  it.each([...new Set(commands)])('%s: names scripts and files that there are', (command) => {
    for (const [, script = ''] of command.matchAll(/npm run (\S+)/g)) expect(Object.keys(scripts)).toContain(script);
    for (const [file] of command.matchAll(/\S+\/\S+/g)) expect(existsSync(join(ROOT, file))).toBe(true);
  });

  it('include the two to begin with', () => {
    expect(commands).toEqual(
      expect.arrayContaining(['npm ci && npm run demo', 'npm run kafka', 'KAFKA_BROKERS=127.0.0.1:9092 npm run demo']),
    );
  });
});

describe('the pages in the README', () => {
  it.each([...readme.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, path = '']) => path))('%s: exists', (path) => {
    expect(existsSync(join(ROOT, path))).toBe(true);
  });
});

describe('the folders in the README', () => {
  it.each([...readme.matchAll(/`((?:src|operators|examples|bench|scripts|test)(?:\/[\w.]+)*)`/g)].map(([, path = '']) => path))(
    '%s: exists',
    (path) => {
      expect(existsSync(join(ROOT, path))).toBe(true);
    },
  );
});
