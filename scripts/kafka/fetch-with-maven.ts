import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FetchDistribution } from './distribution';
import { lastLines, spawnGuarded } from './guarded-process';
import { KafkaServerError } from './kafka-server-error';
import { findMaven } from './requirements';
import { serverProperties } from './server-properties';
import { within } from './wait-until';

const MAVEN_TIMEOUT_MS = 10 * 60_000;
/** StorageTool wants one; it is not in the checkpoint. */
const ANY_CLUSTER_ID = Buffer.from('millrace-cluster').toString('base64url');
const FORMAT_TIMEOUT_MS = 2 * 60_000;

interface Tools {
  readonly java: string;
  readonly pomFile: string;
  readonly log4jFile: string;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

interface Step {
  readonly what: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly logFile: string;
  readonly timeoutMs: number;
  readonly hint: string;
  readonly signal?: AbortSignal | undefined;
}

async function runToEnd({ what, command, cwd, logFile, timeoutMs, hint, signal }: Step): Promise<void> {
  const program = await spawnGuarded(command, { cwd, logFile });
  const abort = (): void => {
    program.signal('SIGKILL');
  };
  signal?.addEventListener('abort', abort);
  try {
    const exit = (await within(program.exited, timeoutMs)) ?? { code: `no end within ${timeoutMs / 1000} s`, signal: null };
    signal?.throwIfAborted();
    if (exit.code === 0) return;
    const how = exit.signal === null ? String(exit.code) : exit.signal;
    throw new KafkaServerError('DOWNLOAD_FAILED', `${what} failed (${how}). ${hint}\n${lastLines(logFile, 15)}`);
  } finally {
    signal?.removeEventListener('abort', abort);
    await program.stop(2_000);
  }
}

/** Kafka's jars from Maven Central, and the checkpoint from Kafka's own StorageTool. Errors: MAVEN_MISSING, DOWNLOAD_FAILED. */
export function fetchWithMaven({ java, pomFile, log4jFile, log, signal }: Tools): FetchDistribution {
  return async (folder, version) => {
    const maven = await findMaven();
    log(`fetching Apache Kafka ${version} from Maven Central (46 MB, this once)`);
    const jars = join(folder, 'jars');
    await runToEnd({
      what: 'fetching Kafka with Maven',
      command: [maven, '-B', '-q', '-f', pomFile, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${jars}`],
      cwd: folder,
      logFile: join(folder, 'maven.log'),
      timeoutMs: MAVEN_TIMEOUT_MS,
      hint: 'Is Maven Central reachable? Maven says:',
      signal,
    });

    const work = join(folder, 'format');
    await mkdir(work);
    const node = { id: 1, port: 9092, controllerPort: 9093 };
    await writeFile(join(work, 'server.properties'), serverProperties(node, [node]));
    await copyFile(log4jFile, join(work, 'log4j2.properties'));
    await runToEnd({
      what: "Kafka's StorageTool",
      command: [
        java,
        '-Xmx256m',
        '-Dlog4j2.configurationFile=log4j2.properties',
        ...['-cp', `${jars}/*`, 'kafka.tools.StorageTool'],
        ...['format', '--cluster-id', ANY_CLUSTER_ID, '--config', 'server.properties'],
      ],
      cwd: work,
      logFile: join(work, 'format.log'),
      timeoutMs: FORMAT_TIMEOUT_MS,
      hint: 'It says:',
      signal,
    });
    await rename(join(work, 'broker-1', 'bootstrap.checkpoint'), join(folder, 'bootstrap.checkpoint'));
    await rm(work, { recursive: true });
  };
}
