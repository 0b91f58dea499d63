import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ExclusiveLock, tryLock } from './exclusive-lock';
import { KafkaServerError } from './kafka-server-error';
import { type KafkaNode, logFolder, metaProperties, serverProperties } from './server-properties';
import { waitUntil } from './wait-until';

/** Marks a folder as ours: only such a folder is ever emptied. */
const CLUSTER_ID = 'cluster-id';
const UNFINISHED_CLUSTER_ID = 'cluster-id.unfinished';
const LOCK = 'lock';
const PREVIOUS_BROKER_TIMEOUT_MS = 20_000;

export const nodeFile = (node: KafkaNode, extension: 'properties' | 'log' | 'pid'): string => `broker-${node.id}.${extension}`;

const uuid = (): string => randomBytes(16).toString('base64url');

async function entries(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  try {
    // A number that a later process got is no broker. Elsewhere than on Linux we have the number only.
    return existsSync('/proc/self') ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('kafka.Kafka') : true;
  } catch {
    return false;
  }
}

async function liveBrokers(directory: string): Promise<number[]> {
  const files = (await entries(directory)).filter((name) => /^broker-\d+\.pid$/.test(name));
  const pids = await Promise.all(files.map(async (name) => Number(await readFile(join(directory, name), 'utf8').catch(() => ''))));
  return pids.filter((pid) => pid > 0 && isAlive(pid));
}

/**
 * Takes the folder for one cluster, and waits for a broker that lost its starter to end.
 *
 * Errors: DATA_DIRECTORY_FOREIGN (not empty, not ours), DATA_DIRECTORY_IN_USE.
 */
export async function claimDataDirectory(directory: string): Promise<ExclusiveLock> {
  const present = (await entries(directory)).filter((name) => name !== LOCK && name !== UNFINISHED_CLUSTER_ID);
  if (present.length > 0 && !present.includes(CLUSTER_ID)) {
    throw new KafkaServerError(
      'DATA_DIRECTORY_FOREIGN',
      `${directory} is not empty and holds no Kafka of ours (no file "${CLUSTER_ID}"), so it is not touched. Choose another folder.`,
    );
  }
  const lock = await tryLock(join(directory, LOCK));
  if (lock === undefined) throw inUse(directory, await liveBrokers(directory));
  try {
    const gone = await waitUntil(async () => ((await liveBrokers(directory)).length === 0 ? true : undefined), {
      timeoutMs: PREVIOUS_BROKER_TIMEOUT_MS,
    });
    if (gone === undefined) throw inUse(directory, await liveBrokers(directory));
    return lock;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function inUse(directory: string, pids: readonly number[]): KafkaServerError {
  const brokers = pids.length === 0 ? 'a broker is being started or stopped there' : `process ${pids.join(', ')} is its broker`;
  return new KafkaServerError('DATA_DIRECTORY_IN_USE', `${directory} is in use: ${brokers}. Stop it, or choose another port or folder.`);
}

/** Removes what an earlier cluster left. The mark goes last, or a crash would leave a folder that looks foreign. */
async function empty(directory: string): Promise<void> {
  const rest = (await entries(directory)).filter((name) => name !== LOCK && name !== CLUSTER_ID);
  for (const name of rest) await rm(join(directory, name), { recursive: true, force: true });
  await rm(join(directory, CLUSTER_ID), { force: true });
}

/** The cluster's id. Renamed into place: after a crash it is whole or absent, and nothing is formatted without it. */
async function clusterIdOf(directory: string): Promise<string> {
  const file = join(directory, CLUSTER_ID);
  if (existsSync(file)) return (await readFile(file, 'utf8')).trim();
  const clusterId = uuid();
  const unfinished = join(directory, UNFINISHED_CLUSTER_ID);
  await writeFile(unfinished, `${clusterId}\n`);
  await rename(unfinished, file);
  return clusterId;
}

/** Formats the node's log folder as `kafka-storage.sh format` does, unless that was done before. */
async function format(directory: string, node: KafkaNode, clusterId: string, bootstrapCheckpoint: string): Promise<void> {
  const folder = join(directory, logFolder(node));
  if (existsSync(folder)) return;
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  await copyFile(bootstrapCheckpoint, join(unfinished, 'bootstrap.checkpoint'));
  await writeFile(join(unfinished, 'meta.properties'), metaProperties(node, clusterId, uuid()));
  await rename(unfinished, folder);
}

export interface ClusterLayout {
  readonly nodes: readonly KafkaNode[];
  /** Go on with the data that are there. */
  readonly keep: boolean;
  readonly bootstrapCheckpoint: string;
  readonly log4jFile: string;
}

/** Writes all that the nodes need to start into a claimed folder, and gives the cluster's id. */
export async function layOutDataDirectory(
  directory: string,
  { nodes, keep, bootstrapCheckpoint, log4jFile }: ClusterLayout,
): Promise<string> {
  if (!keep) await empty(directory);
  const clusterId = await clusterIdOf(directory);
  await copyFile(log4jFile, join(directory, 'log4j2.properties'));
  for (const node of nodes) {
    await format(directory, node, clusterId, bootstrapCheckpoint);
    await writeFile(join(directory, nodeFile(node, 'properties')), serverProperties(node, nodes));
  }
  return clusterId;
}
