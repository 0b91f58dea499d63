/** docs/testing.md: its programs are the files of test/docs/testing, which run as tests; what it says they print is what they print. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestScheduler } from 'rxjs/testing';
import { countWithStore, windowTumbling } from '../../operators';
import { seconds } from '../../src/model/duration';
import { diagram, marbleAssert, memoryStore, record } from '../../src/testing';
import { crash } from './testing/forgetful';
import { perMinute, viewsPerPage } from './testing/page-views';

const page = readFileSync(join(__dirname, '..', '..', 'docs', 'testing.md'), 'utf8');
const fences = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, text = '']) => text);

const folder = join(__dirname, 'testing');

describe('docs/testing.md', () => {
  /** A block that names no file goes on with the one before. */
  const files = new Map<string, string>();
  let file = '';
  for (const block of fences('ts')) {
    file = /^\/\/ (\S+\.ts)\n/.exec(block)?.[1] ?? file;
    files.set(file, files.has(file) ? `${files.get(file)!}\n${block}` : block);
  }

  it('shows the files that run as tests, all of them', () => {
    expect([...files.keys()].sort()).toEqual(readdirSync(folder).sort());
  });

  it.each([...files])('shows %s as it is', (name, text) => {
    expect(text).toBe(readFileSync(join(folder, name), 'utf8'));
  });

  it('shows what a wrong diagram prints', () => {
    const wrong = (): void => {
      new TestScheduler(marbleAssert).run(({ cold, expectObservable }) => {
        const source = cold(...diagram('--home1---home59---home70---home58---|', () => 'a view', { unit: seconds(1) }));
        const counted = source.pipe(windowTumbling(perMinute), countWithStore(memoryStore(viewsPerPage), { emit: 'close' }));
        const w = record({ key: 'home', start: 0, end: 60_000 }, 3, 59_000);
        expectObservable(counted).toBe('-------------------w-----------------|', { w });
      });
    };
    expect(printed(wrong)).toBe(fences('text')[0]);
  });

  it('shows what a program prints that forgets', async () => {
    const failed = await crash().then(
      () => new Error('it holds'),
      (error: unknown) => error as Error,
    );
    expect(`${failed.message}\n`).toBe(fences('text')[1]);
  });
});

function printed(wrong: () => void): string {
  try {
    wrong();
  } catch (error) {
    return `${(error as Error).message}\n`;
  }
  return 'it holds';
}
