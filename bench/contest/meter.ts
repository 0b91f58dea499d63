import { setTimeout as pause } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import type { RunningContestant } from './contestants';
import { busySeconds, cpuSeconds, peakMegabytes } from './proc';

/** Over the whole run, and without its first quarter, in which a JIT warms up. */
export interface WholeAndSteady {
  readonly whole: number;
  readonly steady: number;
}

export interface Measured {
  readonly recordsPerSecond: WholeAndSteady;
  /** User and system time of the contestant's process. */
  readonly cpuMicrosPerRecord: WholeAndSteady;
  readonly brokerCpuMicrosPerRecord: number;
  readonly peakMegabytes: number;
  /** Cores that neither contestant nor broker nor this meter used: what the machine did beside it. */
  readonly foreignCores: number;
}

export interface MeterOptions {
  readonly admin: Admin;
  readonly group: string;
  readonly input: string;
  readonly contestant: RunningContestant;
  /** Undefined: a broker that somebody else has started. */
  readonly brokerPid: number | undefined;
}

interface Reading {
  readonly at: number;
  readonly committed: number;
  readonly cpu: number;
  readonly brokerCpu: number;
  readonly meterCpu: number;
  readonly busy: number;
}

const POLL_MS = 25;
const WITHIN_MS = 10 * 60_000;

/**
 * One rule for all: the clock starts at the first record a contestant sees and stops when its group has committed the end of the input on
 * every partition, as seen from outside.
 */
export async function measure(options: MeterOptions): Promise<Measured> {
  const { contestant } = options;
  const ends = new Map((await options.admin.fetchTopicOffsets(options.input)).map(({ partition, high }) => [partition, Number(high)]));
  const total = [...ends.values()].reduce((sum, end) => sum + end, 0);
  const first = read(options, await contestant.first, 0);
  let quarter: Reading | undefined;
  for (;;) {
    await Promise.race([pause(POLL_MS), contestant.ended]);
    const committed = await committedOffsets(options);
    const at = performance.timeOrigin + performance.now();
    if (quarter === undefined && committed >= total / 4 && committed < total) quarter = read(options, at, committed);
    if (committed >= total) return between(options, first, quarter ?? first, read(options, at, committed));
    if (at - first.at > WITHIN_MS) throw new Error(`${options.group}: only ${committed} of ${total} records are committed after 10 min`);
  }
}

async function committedOffsets({ admin, group, input }: MeterOptions): Promise<number> {
  const [topic] = await admin.fetchOffsets({ groupId: group, topics: [input] });
  return (topic?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
}

function read({ contestant, brokerPid }: MeterOptions, at: number, committed: number): Reading {
  const brokerCpu = brokerPid === undefined ? 0 : cpuSeconds(brokerPid);
  return { at, committed, cpu: cpuSeconds(contestant.pid), brokerCpu, meterCpu: cpuSeconds(process.pid), busy: busySeconds() };
}

function between({ contestant }: MeterOptions, first: Reading, quarter: Reading, last: Reading): Measured {
  const per = (of: (reading: Reading) => number, divisor: (reading: Reading) => number, from: Reading): number =>
    (of(last) - of(from)) / (divisor(last) - divisor(from));
  const both = (of: (from: Reading) => number): WholeAndSteady => ({ whole: of(first), steady: of(quarter) });
  const records = ({ committed }: Reading): number => committed;
  const foreign = ({ busy, cpu, brokerCpu, meterCpu }: Reading): number => busy - cpu - brokerCpu - meterCpu;
  return {
    recordsPerSecond: both((from) => per(records, ({ at }) => at / 1000, from)),
    cpuMicrosPerRecord: both((from) => per(({ cpu }) => cpu * 1e6, records, from)),
    brokerCpuMicrosPerRecord: per(({ brokerCpu }) => brokerCpu * 1e6, records, first),
    peakMegabytes: peakMegabytes(contestant.pid),
    foreignCores: per(foreign, ({ at }) => at / 1000, first),
  };
}
