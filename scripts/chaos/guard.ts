import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Kills what is left when this process ends, by kill -9 too: a stopped process cannot notice by itself that nobody is there to let it go
 * on. Lines "+ pid" and "- pid" say what is left; the end of the file, that we are gone.
 */
const GUARD = `
left=
while read -r what pid; do
  if [ "$what" = + ]; then left="$left $pid"; continue; fi
  rest=
  for each in $left; do [ "$each" = "$pid" ] || rest="$rest $each"; done
  left=$rest
done
for each in $left; do kill -KILL "$each" 2>/dev/null; done
`;

export interface Guard {
  /** Does not outlive this process. */
  watch(child: ChildProcess): void;
  /** Lets the guard go; what is left is killed. */
  close(): void;
}

export function startGuard(): Guard {
  const shell = spawn('/bin/sh', ['-c', GUARD], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  shell.stdin.on('error', () => undefined);
  shell.unref();
  return {
    watch: (child) => {
      const { pid } = child;
      if (pid === undefined) return;
      shell.stdin.write(`+ ${pid}\n`);
      child.once('exit', () => shell.stdin.write(`- ${pid}\n`));
    },
    close: () => shell.stdin.end(),
  };
}
