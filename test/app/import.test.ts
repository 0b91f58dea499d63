import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

/** The files that a process of its own has loaded after `script`. */
function loadedBy(script: string): string[] {
  const print = 'process.stdout.write(JSON.stringify(Object.keys(require.cache)))';
  const output = execFileSync(process.execPath, ['--import', 'tsx', '-e', `${script}; ${print}`], { cwd: root, encoding: 'utf8' });
  return (JSON.parse(output) as string[]).map((file) => file.slice(root.length + 1).replaceAll('\\', '/'));
}

const adapters = /node_modules\/(kafkajs|classic-level|abstract-level|lz4-napi|snappy|pino)\/|^src\/(kafkajs|level|memory|testing)\//;

describe("import 'millrace'", () => {
  it('loads neither kafkajs nor LevelDB nor the broker in memory', () => {
    const loaded = loadedBy("require('./src/index.ts')");
    expect(loaded).toContain('src/millrace.ts');
    expect(loaded.filter((file) => adapters.test(file))).toEqual([]);
  });

  it('nor does making an app load them', () => {
    const loaded = loadedBy("require('./src/index.ts').millrace({ applicationId: 'app', brokers: ['localhost:9092'] })");
    expect(loaded.filter((file) => adapters.test(file))).toEqual([]);
  });
});

describe("import 'millrace/testing'", () => {
  it('loads no broker: unit tests of operators start quickly', () => {
    const loaded = loadedBy("require('./src/testing/index.ts')");
    expect(loaded).toContain('src/testing/memory-store.ts');
    expect(loaded.filter((file) => /node_modules\/(kafkajs|classic-level)\/|^src\/(kafkajs|level|memory)\//.test(file))).toEqual([]);
  });
});
