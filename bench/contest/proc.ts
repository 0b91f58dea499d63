import { readFileSync } from 'node:fs';

/** Clock ticks of /proc are 10 ms on Linux. */
const TICKS_PER_SECOND = 100;

/** Seconds of user and system time, all threads together. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The most memory it ever held, MiB. */
export function peakMegabytes(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}

/** Seconds that all cores together have been busy, the hypervisor's theft included. */
export function busySeconds(): number {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.trim().split(/ +/);
  // user, nice, system, irq, softirq, steal
  return [1, 2, 3, 6, 7, 8].reduce((sum, at) => sum + Number(fields[at]), 0) / TICKS_PER_SECOND;
}
