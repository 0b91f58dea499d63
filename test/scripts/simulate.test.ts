/** The simulation: what it makes of the sources, that a seed passes and takes the same course again, and that it notices. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { instrument, type AwaitSite } from '../../scripts/simulate/instrument';
import { plantedMistakes } from '../../scripts/simulate/planted';

const ROOT = join(__dirname, '..', '..');

interface Output {
  readonly failed: boolean;
  readonly text: string;
}

function simulate(...options: string[]): Promise<Output> {
  const args = ['--import', 'tsx', join('scripts', 'simulate.ts'), ...options];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 }, (error, text, complaint) =>
      resolve({ failed: error !== null, text: text + complaint }),
    );
  });
}

describe('instrumented sources', () => {
  const instrumented = (source: string): { text: string; sites: AwaitSite[] } => {
    const sites: AwaitSite[] = [];
    return { text: instrument('src/kafka/some.ts', source, sites), sites };
  };

  it('have a call around each operand of await, the inner ones too', () => {
    const { text } = instrumented('async function f() { return await g(await h()); }');
    expect(text).toBe('async function f() { return await __at(0, g(await __at(1, h()))); }');
  });

  it('have one around what is continued, along a chain', () => {
    expect(instrumented('g().then(a).catch(b);').text).toBe('__at(0, __at(1, g()).then(a)).catch(b);');
  });

  it('keep their lines, and name them', () => {
    const { text, sites } = instrumented('class A {\n  async close() {\n    await\n      this.port.close();\n  }\n}\n');
    expect(text.split('\n')).toHaveLength(7);
    expect(sites).toEqual([{ file: 'src/kafka/some.ts', line: 4, what: 'close: this.port.close()' }]);
  });
});

describe('planted mistakes', () => {
  it.each(plantedMistakes.map(({ name, patches }) => [name, patches] as const))('%s: their text is in the sources once', (_, patches) => {
    for (const { file, text } of patches) expect(readFileSync(join(ROOT, file), 'utf8').split(text)).toHaveLength(2);
  });
});

describe('a simulation', () => {
  it('of some seeds passes, and their second runs take the same course', async () => {
    const { failed, text } = await simulate('--seeds', '11');
    expect(text).toContain('seeds were run twice, with the same trace');
    expect(text).toMatch(/11 seeds from 0 .* 0 failed/);
    expect(failed).toBe(false);
  }, 60_000);

  it('notices a mistake', async () => {
    const { failed, text } = await simulate('--bites', '--only', 'commit before flush', '--seeds', '100');
    expect(text).toMatch(/found {2}commit before flush: within \d+ seeds by seed \d+ \(.*\): \S/);
    expect(failed).toBe(false);
  }, 60_000);
});
