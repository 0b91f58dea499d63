import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lastLines, spawnGuarded } from '../../scripts/kafka/guarded-process';
import { freePort, LOOPBACK } from '../../scripts/kafka/ports';
import { waitUntil } from '../../scripts/kafka/wait-until';

export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface PostgresServer {
  readonly address: PostgresAddress;
  /** The server's process. */
  readonly pid: number;
  /** Ends connections, and removes all that the server has written. */
  stop(): Promise<void>;
}

const run = promisify(execFile);
const USER = 'millrace';
const START_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 10_000;

/**
 * Starts a server with an empty database in a temporary folder, on a free port of the loopback interface, with a password nobody else
 * knows. It ends with this process, by kill -9 too. PostgreSQL refuses to run as root: then it runs as the user that the package made.
 */
export async function startPostgres(programs: string): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-postgres-'));
  try {
    return await startIn(folder, programs);
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw cause;
  }
}

async function startIn(folder: string, programs: string): Promise<PostgresServer> {
  const unprivileged = await unprivilegedUser();
  const as = unprivileged === undefined ? [] : ['setpriv', `--reuid=${unprivileged.uid}`, `--regid=${unprivileged.gid}`, '--clear-groups'];
  const [data, passwordFile, logFile] = [join(folder, 'data'), join(folder, 'password'), join(folder, 'server.log')];
  const password = randomUUID();
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (unprivileged !== undefined) for (const path of [folder, passwordFile]) await chown(path, unprivileged.uid, unprivileged.gid);

  const port = await freePort();
  const [initdb = '', ...its] = [...as, join(programs, 'initdb'), '-D', data, `--username=${USER}`, `--pwfile=${passwordFile}`];
  await run(initdb, [...its, '--auth=scram-sha-256', '--encoding=UTF8', '--no-locale', '--no-sync'], { cwd: folder });
  const settings = [`listen_addresses=${LOOPBACK}`, `port=${port}`, 'unix_socket_directories=', 'fsync=off', 'lc_messages=C'];
  const command = [...as, join(programs, 'postgres'), '-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const server = await spawnGuarded(command, { cwd: folder, logFile });

  const stop = async (): Promise<void> => {
    server.signal('SIGINT'); // ends connections; SIGTERM alone would wait for them
    await server.stop(STOP_WITHIN_MS);
    await rm(folder, { recursive: true, force: true });
  };
  let hasExited = false;
  void server.exited.then(() => (hasExited = true));
  const isReady = async (): Promise<boolean | undefined> => {
    if (hasExited) return false;
    return (await readFile(logFile, 'utf8')).includes('database system is ready to accept connections') ? true : undefined;
  };
  if ((await waitUntil(isReady, { timeoutMs: START_WITHIN_MS })) !== true) {
    const said = lastLines(logFile, 10);
    await stop();
    throw new Error(`PostgreSQL does not start:\n${said}`);
  }
  return { address: { host: LOOPBACK, port, user: USER, password, database: 'postgres' }, pid: server.pid, stop };
}

interface UnixUser {
  readonly uid: number;
  readonly gid: number;
}

/** Undefined: we are not root, and run it ourselves. */
async function unprivilegedUser(): Promise<UnixUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const user = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody');
  const [, , uid, gid] = user ?? [];
  if (uid === undefined || gid === undefined)
    throw new Error('PostgreSQL refuses to run as root, and there is no user postgres or nobody.');
  return { uid: Number(uid), gid: Number(gid) };
}
