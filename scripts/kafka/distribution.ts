import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { waitForLock } from './exclusive-lock';
import { KafkaServerError } from './kafka-server-error';

/** A Kafka that is ready to be started. */
export interface Distribution {
  readonly version: string;
  readonly folder: string;
  readonly classPath: string;
  /** The feature levels of a freshly formatted cluster, as Kafka's own StorageTool writes them: the same bytes for every cluster. */
  readonly bootstrapCheckpoint: string;
}

/** Puts Kafka's jars into `folder`/jars and the checkpoint at `folder`/bootstrap.checkpoint. */
export type FetchDistribution = (folder: string, version: string) => Promise<void>;

export interface DistributionOptions {
  /** Holds one folder per content of the pom.xml. */
  readonly home: string;
  readonly pomFile: string;
  readonly fetch: FetchDistribution;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const JARS = 'jars';
const CHECKPOINT = 'bootstrap.checkpoint';
/** Each file's size. Written last: what a crash of the machine cut short is seen, and fetched again. */
const CONTENTS = 'contents.json';
const FETCH_TIMEOUT_MS = 15 * 60_000;

interface Contents {
  readonly version: string;
  readonly bytesByFile: Readonly<Record<string, number>>;
}

function identity(pom: string): { version: string; name: string } {
  const version = /<kafka\.version>([^<]+)<\/kafka\.version>/.exec(pom)?.[1];
  if (version === undefined) throw new Error('scripts/kafka/pom.xml names no <kafka.version>');
  return { version, name: `kafka-${version}-${createHash('sha256').update(pom).digest('hex').slice(0, 8)}` };
}

async function measure(folder: string): Promise<Record<string, number>> {
  const jars = (await readdir(join(folder, JARS))).filter((name) => name.endsWith('.jar')).sort();
  const files = [...jars.map((name) => `${JARS}/${name}`), CHECKPOINT];
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, (await stat(join(folder, file))).size] as const)));
}

/** The distribution in this folder; undefined when there is none, or not all of it. */
async function readDistribution(folder: string): Promise<Distribution | undefined> {
  try {
    const contents = JSON.parse(await readFile(join(folder, CONTENTS), 'utf8')) as Contents;
    if (JSON.stringify(await measure(folder)) !== JSON.stringify(contents.bytesByFile)) return undefined;
    const jars = Object.keys(contents.bytesByFile).filter((file) => file !== CHECKPOINT);
    return {
      version: contents.version,
      folder,
      classPath: jars.map((file) => join(folder, file)).join(delimiter),
      bootstrapCheckpoint: join(folder, CHECKPOINT),
    };
  } catch {
    return undefined;
  }
}

/** The distribution that an earlier start has fetched; undefined when it has to be fetched. */
export async function fetchedDistribution(home: string, pomFile: string): Promise<Distribution | undefined> {
  return readDistribution(join(home, identity(await readFile(pomFile, 'utf8')).name));
}

/**
 * Kafka's jars: those fetched before, or else fetched now, once, however many ask at the same time. A fetch that is cut short leaves a
 * folder that nobody takes for a whole one, and that the next fetch removes.
 */
export async function ensureDistribution(options: DistributionOptions): Promise<Distribution> {
  const { home, pomFile, fetch, log, signal } = options;
  const { version, name } = identity(await readFile(pomFile, 'utf8'));
  const folder = join(home, name);
  const present = await readDistribution(folder);
  if (present !== undefined) return present;

  const lock = await waitForLock(join(home, 'lock'), {
    timeoutMs: FETCH_TIMEOUT_MS,
    signal,
    onWait: () => {
      log('waiting for another start that is fetching Kafka');
    },
  });
  if (lock === undefined) {
    throw new KafkaServerError(
      'DOWNLOAD_FAILED',
      `another process has been fetching Kafka into ${home} for ${FETCH_TIMEOUT_MS / 60_000} min`,
    );
  }
  try {
    const meanwhile = await readDistribution(folder);
    if (meanwhile !== undefined) return meanwhile;
    for (const entry of await readdir(home)) {
      if (entry === name || entry.endsWith('.partial')) await rm(join(home, entry), { recursive: true, force: true });
    }
    const partial = `${folder}.partial`;
    await mkdir(partial);
    await fetch(partial, version);
    const contents: Contents = { version, bytesByFile: await measure(partial) };
    await writeFile(join(partial, CONTENTS), JSON.stringify(contents, undefined, 2));
    await rename(partial, folder);
  } finally {
    await lock.release();
  }
  const fetched = await readDistribution(folder);
  if (fetched === undefined) throw new KafkaServerError('DOWNLOAD_FAILED', `Kafka's jars were fetched, but ${folder} cannot be read`);
  return fetched;
}
