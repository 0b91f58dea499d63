import { spawn } from 'node:child_process';
import { access, constants, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

const DEBIAN_VERSIONS = '/usr/lib/postgresql';
const APT_GET = '/usr/bin/apt-get';

/** The folder of the server's programs; undefined: it is not installed. */
export async function findPostgres(): Promise<string | undefined> {
  const versions = await readdir(DEBIAN_VERSIONS).catch((): string[] => []);
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(DEBIAN_VERSIONS, version, 'bin'));
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), ...newestFirst]) {
    if (folder !== '' && (await hasPrograms(folder))) return folder;
  }
  return undefined;
}

async function hasPrograms(folder: string): Promise<boolean> {
  return (await isExecutable(join(folder, 'initdb'))) && (await isExecutable(join(folder, 'postgres')));
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Debian's package, if we may. Gives the folder of the server's programs. */
export async function installPostgres(): Promise<string> {
  if (process.getuid?.() !== 0 || !(await isExecutable(APT_GET))) {
    throw new Error('This needs a PostgreSQL server of its own, and none is installed: apt-get install postgresql');
  }
  process.stdout.write("PostgreSQL is not installed: installing Debian's package\n");
  await aptGet('update');
  await aptGet('install', '-y', '--no-install-recommends', 'postgresql');
  const programs = await findPostgres();
  if (programs === undefined) throw new Error('apt-get has installed postgresql, but there is no server in its folders.');
  return programs;
}

function aptGet(...what: string[]): Promise<void> {
  const child = spawn(APT_GET, what, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`apt-get ${what.join(' ')} has failed with exit code ${String(code)}.`));
    });
  });
}
