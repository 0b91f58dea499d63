import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

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

const LOOPBACK = '127.0.0.1';
const USER = 'millrace';
const STOP_WITHIN_MS = 10_000;

/**
 * Starts a server with an empty database in a temporary folder, on a free port of the loopback interface, with a password nobody else
 * knows. On Linux it ends with this process, by kill -9 too. PostgreSQL refuses to run as root: then it runs as the user that the package
 * made.
 *
 * @param programs the folder of initdb and postgres
 */
export async function startPostgres(programs: string): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-postgres-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const user = await unprivilegedUser();
    const password = randomUUID();
    const data = await createDatabase({ programs, folder, password, user });
    const port = await freePort();
    const settings = [`listen_addresses=${LOOPBACK}`, `port=${port}`, 'unix_socket_directories=', 'fsync=off', 'lc_messages=C'];
    const command = [join(programs, 'postgres'), '-D', data, ...settings.flatMap((setting) => ['-c', setting])];
    const { pid, stop } = await startServer([...as(user, '--pdeathsig=INT'), ...command], folder);
    const address = { host: LOOPBACK, port, user: USER, password, database: 'postgres' };
    return { address, pid, stop: () => stop().finally(remove) };
  } catch (cause) {
    await remove();
    throw cause;
  }
}

interface UnixUser {
  readonly uid: string;
  readonly gid: string;
}

/** Undefined: we are not root, and run it ourselves. */
async function unprivilegedUser(): Promise<UnixUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const [, , uid, gid] = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody') ?? [];
  if (uid === undefined || gid === undefined)
    throw new Error('PostgreSQL refuses to run as root, and there is no user postgres or nobody.');
  return { uid, gid };
}

/** What stands before a command that is to run as another user; setpriv becomes the program, it does not stay as its parent. */
function as(user: UnixUser | undefined, ...more: readonly string[]): string[] {
  if (process.platform !== 'linux') return [];
  const other = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  return other.length + more.length === 0 ? [] : ['setpriv', ...other, ...more];
}

/** Gives its folder. */
async function createDatabase(of: {
  readonly programs: string;
  readonly folder: string;
  readonly password: string;
  readonly user: UnixUser | undefined;
}): Promise<string> {
  const { programs, folder, password, user } = of;
  const [data, passwordFile] = [join(folder, 'data'), join(folder, 'password')];
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user !== undefined) for (const path of [folder, passwordFile]) await chown(path, Number(user.uid), Number(user.gid));
  const options = [`--username=${USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--no-locale', '--no-sync'];
  const [program = '', ...its] = [...as(user), join(programs, 'initdb'), '-D', data, ...options];
  await promisify(execFile)(program, its, { cwd: folder });
  return data;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Settles when it takes connections. It is in a session of its own: Ctrl-C reaches us alone, and we stop it when nobody needs it. */
async function startServer(command: readonly string[], folder: string): Promise<Pick<PostgresServer, 'pid' | 'stop'>> {
  const [program = '', ...its] = command;
  const server = spawn(program, its, { cwd: folder, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  await once(server, 'spawn');
  await new Promise<void>((resolve, reject) => {
    let said = '';
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-2_000);
      if (said.includes('database system is ready to accept connections')) resolve();
    });
    server.once('close', () => {
      reject(new Error(`PostgreSQL does not start:\n${said}`));
    });
  });
  const stop = async (): Promise<void> => {
    server.kill('SIGINT'); // a fast shutdown: SIGTERM would wait for those that are connected
    const impatience = setTimeout(() => server.kill('SIGKILL'), STOP_WITHIN_MS);
    await exited;
    clearTimeout(impatience);
  };
  return { pid: server.pid!, stop };
}
