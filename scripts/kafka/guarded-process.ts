import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { within } from './wait-until';

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program that does not outlive this process, however this process ends. */
export interface GuardedProcess {
  /** The id of the program itself, not of a shell around it. */
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL when the program is still there after `graceMs`. */
  stop(graceMs: number): Promise<ProcessExit>;
}

/**
 * The shell forks the guard first and then becomes the program, so there is no moment without a guard. The guard reads descriptor 3, the
 * other end of which only we hold: a line means that the program has ended, end of file that we have, by kill -9 too. `$$` stays the
 * shell's own id in the guard, and so the program's.
 */
const GUARD = `
(
  if read -r _ <&3; then exit 0; fi
  kill -TERM "$$"
  tenths=0
  while kill -0 "$$" && [ "$tenths" -lt 100 ]; do sleep 0.1; tenths=$((tenths + 1)); done
  kill -KILL "$$"
) </dev/null >/dev/null 2>&1 &
exec 3<&-
exec "$@"
`;

export interface GuardedOptions {
  readonly cwd: string;
  /** Standard output and standard error are appended to this file. */
  readonly logFile: string;
}

/** Starts the program in a session of its own, so that Ctrl-C reaches us and not the program. */
export async function spawnGuarded(command: readonly string[], { cwd, logFile }: GuardedOptions): Promise<GuardedProcess> {
  const output = openSync(logFile, 'a');
  try {
    const child = spawn('/bin/sh', ['-c', GUARD, 'guard', ...command], {
      cwd,
      detached: true,
      stdio: ['ignore', output, output, 'pipe'],
    });
    const lifeline = child.stdio[3] as Writable;
    lifeline.on('error', () => {
      // The guard is gone, and with it the only reader.
    });
    const exited = new Promise<ProcessExit>((resolve) => {
      child.once('exit', (code, signal) => {
        lifeline.end('ended\n');
        resolve({ code, signal });
      });
    });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('spawn', () => {
        resolve(child.pid!);
      });
      child.once('error', reject);
    });
    const stop = async (graceMs: number): Promise<ProcessExit> => {
      child.kill('SIGTERM');
      const exit = await within(exited, graceMs);
      if (exit !== undefined) return exit;
      child.kill('SIGKILL');
      return exited;
    };
    return { pid, exited, stop, signal: (name) => void child.kill(name) };
  } finally {
    closeSync(output);
  }
}

/** The end of a log, for an error message. */
export function lastLines(file: string, count: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return `(${file} cannot be read)`;
  }
}
