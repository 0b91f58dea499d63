import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { KafkaServerError } from './kafka-server-error';

const OLDEST_JAVA = 17;

/** How programs are found and asked; replaced in tests. */
export interface ProgramLookup {
  readonly environment: Readonly<Record<string, string | undefined>>;
  isExecutable(path: string): Promise<boolean>;
  /** Standard output and standard error together; fails when the program cannot be run or reports a failure. */
  run(path: string, args: readonly string[]): Promise<string>;
}

export const systemLookup: ProgramLookup = {
  environment: process.env,
  isExecutable: (path) =>
    access(path, constants.X_OK).then(
      () => true,
      () => false,
    ),
  run: (path, args) =>
    new Promise((resolve, reject) => {
      execFile(path, args, { timeout: 20_000 }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout + stderr);
        else reject(new Error(`${path} ${args.join(' ')}: ${error.message}`));
      });
    }),
};

async function onPath(name: string, lookup: ProgramLookup): Promise<string | undefined> {
  for (const folder of (lookup.environment['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (folder !== '' && (await lookup.isExecutable(path))) return path;
  }
  return undefined;
}

/** The 17 of `openjdk version "17.0.15"`, the 8 of `java version "1.8.0_392"`. */
export function javaMajorVersion(output: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(output);
  return match === null ? undefined : Number(match[1]);
}

/**
 * The path of a Java that can run the broker: JAVA_HOME's, else the first on PATH.
 *
 * Errors: JAVA_MISSING, JAVA_TOO_OLD.
 */
export async function findJava(lookup: ProgramLookup = systemLookup): Promise<string> {
  const home = lookup.environment['JAVA_HOME'];
  const java = home === undefined || home === '' ? await onPath('java', lookup) : join(home, 'bin', 'java');
  if (java === undefined || !(await lookup.isExecutable(java))) {
    const where =
      java === undefined ? 'there is no "java" on PATH and JAVA_HOME is not set' : `JAVA_HOME is ${home}, which has no bin/java`;
    throw new KafkaServerError('JAVA_MISSING', `Kafka needs Java ${OLDEST_JAVA} or newer: ${where}. Install one, or set JAVA_HOME.`);
  }
  const output = await lookup.run(java, ['-version']).catch((error: unknown) => {
    throw new KafkaServerError('JAVA_MISSING', `Kafka needs Java ${OLDEST_JAVA} or newer, and ${java} does not run`, { cause: error });
  });
  const version = javaMajorVersion(output);
  if (version === undefined || version < OLDEST_JAVA) {
    const found = version === undefined ? `an unknown version (${output.trim().split('\n')[0]})` : `Java ${version}`;
    throw new KafkaServerError(
      'JAVA_TOO_OLD',
      `Kafka needs Java ${OLDEST_JAVA} or newer; ${java} is ${found}. Set JAVA_HOME to a newer one.`,
    );
  }
  return java;
}

/** The path of Maven, which fetches Kafka's jars the first time. Error: MAVEN_MISSING. */
export async function findMaven(lookup: ProgramLookup = systemLookup): Promise<string> {
  const maven = await onPath('mvn', lookup);
  if (maven !== undefined) return maven;
  throw new KafkaServerError('MAVEN_MISSING', 'Maven fetches Kafka\'s jars the first time: there is no "mvn" on PATH. Install Maven.');
}

/** The guard of the broker's process is written for a POSIX shell. Error: PLATFORM_UNSUPPORTED. */
export function requirePosix(platform: NodeJS.Platform = process.platform): void {
  if (platform !== 'win32') return;
  throw new KafkaServerError(
    'PLATFORM_UNSUPPORTED',
    'npm run kafka needs Linux or macOS. On Windows use WSL, or set KAFKA_BROKERS to a broker of yours.',
  );
}
