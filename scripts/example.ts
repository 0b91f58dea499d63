/**
 * Runs one example: `npm run example -- NAME [its own arguments]`. Without a known name it lists them.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const EXAMPLES = join(__dirname, '..', 'examples');

function names(): string[] {
  if (!existsSync(EXAMPLES)) return [];
  return readdirSync(EXAMPLES)
    .filter((name) => existsSync(join(EXAMPLES, name, 'main.ts')))
    .sort();
}

const [name, ...rest] = process.argv.slice(2);

if (name === undefined || !names().includes(name)) {
  const complaint = name === undefined ? 'Which example?' : `There is no example "${name}".`;
  const list = names()
    .map((known) => `  npm run example -- ${known}\n`)
    .join('');
  process.stderr.write(`${complaint} These can be run:\n${list}`);
  process.exitCode = 2;
} else {
  const child = spawn(process.execPath, ['--import', 'tsx', join(EXAMPLES, name, 'main.ts'), ...rest], { stdio: 'inherit' });
  // The terminal sends Ctrl-C to the whole process group: the example ends by itself, and we wait for it.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 1 : 128 + 2);
  });
}
