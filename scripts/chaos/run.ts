import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { downloadKafka, startCluster } from '../kafka-server';
import { findJava } from '../kafka/requirements';
import { Brokers } from './brokers';
import type { CountOrder } from './count/count';
import type { Verdict } from './count/verdict';
import type { Chaos } from './faults/chaos';
import { performAll } from './faults/all-lanes';
import { startGuard } from './guard';
import { Instance } from './instance';
import { comeToRest } from './rest';
import { INSTANCES } from './schedule';
import { Story } from './story';
import type { Outcome } from './summary';
import { PARTITIONS, topicsOf } from './topics';
import { WireProxies } from './wire-proxy';
import { WriterProcess } from './writer-process';

export interface RunOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly standbyReplicas: number;
  /** Of the instance that is no static member. */
  readonly threads: number;
  /** The copy of the sources that runs. */
  readonly build: string;
  /** For logs and state. */
  readonly folder: string;
  readonly heard: (line: string) => void;
  /** Asked to stop: everything that was started is ended, and the run fails. */
  readonly signal: AbortSignal;
}

/** Their names are their instance ids; the third instance has none. */
const STATIC_MEMBERS = ['a', 'b'];
/** ms of calm work before the first fault, so that there is something to lose. */
const CALM_MS = 3_000;
const FIRST_RUN_WITHIN_MS = 60_000;
const WHOLE_WITHIN_MS = 90_000;
const WRITTEN_WITHIN_MS = 90_000;
const REST_WITHIN_MS = 180_000;
const READER = join(__dirname, 'count', 'DumpLogs.java');

/** Starts everything, does what the schedule of the seed says, waits until all is at rest, and counts. */
export async function run(options: RunOptions): Promise<Outcome> {
  const { seconds, seed, standbyReplicas, threads, build, folder, heard, signal } = options;
  const application = `chaos-${seed}`;
  let begun = performance.now();
  const story = new Story(() => performance.now() - begun, heard);
  const { classPath } = await downloadKafka({ signal });
  const cluster = await startCluster({ brokers: 3, dataDirectory: join(folder, 'brokers'), signal });
  const guard = startGuard();
  const brokers = new Brokers(cluster);
  const wires: WireProxies[] = [];
  const instances: Instance[] = [];
  const addresses = cluster.bootstrap.map((each) => ({ host: each.split(':')[0]!, port: Number(each.split(':')[1]) }));
  const instanceNamed = async (name: string, instanceId?: string, threadsOfIt = 1): Promise<Instance> => {
    const wire = await WireProxies.between(addresses);
    wires.push(wire);
    const instance = new Instance({
      ...{ name, application, instanceId, standbyReplicas, threads: threadsOfIt, build, folder, wire, guard, story },
    });
    instances.push(instance);
    return instance;
  };
  let writer: WriterProcess | undefined;
  try {
    await createTopics(brokers, application);
    writer = new WriterProcess(build, { application, brokers: cluster.bootstrap, seed }, guard);
    const steady: Instance[] = [];
    for (const name of STATIC_MEMBERS) steady.push(await instanceNamed(name, name));
    steady.push(await instanceNamed('dynamic', undefined, threads));
    const extras: Instance[] = [];
    for (let number = 0; number < MOST_EXTRAS; number++) extras.push(await instanceNamed(`extra-${number}`));
    for (const each of steady) each.start();
    for (const each of steady)
      if (!(await each.runs(FIRST_RUN_WITHIN_MS))) throw new Error(`${each.name} is ${each.state} at the start: nothing to break`);
    await pause(CALM_MS);

    begun = performance.now();
    story.tell('run', `${INSTANCES} instances run; ${seconds} s of faults begin`);
    const elapsedMs = (): number => performance.now() - begun;
    const chaos = { application, instances: steady, brokers, story, extra: (number: number) => extras[number]! };
    await performAll({ seconds, seed, chaos, elapsedMs, signal });
    signal.throwIfAborted();
    const tookSeconds = Math.round(elapsedMs() / 1_000);

    const faultsEnded = performance.now();
    story.tell('run', 'no faults any more');
    const unrest = await rest({ ...chaos, writer });
    const restMs = performance.now() - faultsEnded;
    story.tell('run', unrest.length === 0 ? 'all is at rest' : `no rest: ${unrest.join('; ')}`);
    signal.throwIfAborted();
    unrest.push(...(await endAll(steady)));
    const order = { application, broker: cluster.bootstrap.join(','), written: writer.report.written, classPath };
    const verdict = await count(build, order, signal);
    return { seed, seconds, tookSeconds, standbyReplicas, threads, story, verdict, unrest, restMs };
  } finally {
    writer?.kill();
    await Promise.all(instances.map((instance) => instance.kill()));
    guard.close();
    await Promise.all(wires.map((wire) => wire.close()));
    await brokers.close();
    await cluster.close();
  }
}

const MOST_EXTRAS = 8;

async function createTopics(brokers: Brokers, application: string): Promise<void> {
  const { events, left, right, windowCounts, letterCounts, pairs } = topicsOf(application);
  await brokers.createTopics([
    ...[events, left, right].map((topic) => ({ topic, partitions: PARTITIONS, configs: { 'retention.ms': '-1' } })),
    // When a result came out is the broker's to say.
    ...[windowCounts, letterCounts, pairs].map((topic) => ({
      topic,
      partitions: PARTITIONS,
      configs: { 'retention.ms': '-1', 'message.timestamp.type': 'LogAppendTime' },
    })),
  ]);
}

/** Heals what is not whole, has the rest written, and waits. Gives what went wrong with that. */
async function rest({
  application,
  brokers,
  instances,
  story,
  writer,
}: Omit<Chaos, 'over'> & { readonly writer: WriterProcess }): Promise<string[]> {
  const unrest: string[] = [];
  for (const broker of brokers.cluster.brokers) {
    if (broker.pid === undefined) await broker.restart();
    else broker.continue();
  }
  for (const instance of instances) instance.restore();
  if (!(await brokers.whole(WHOLE_WITHIN_MS))) unrest.push(`the brokers' replicas are not in sync after ${WHOLE_WITHIN_MS} ms`);
  for (const order of ['drain', 'end'] as const) {
    if (!(await writer.obeyed(order, WRITTEN_WITHIN_MS)))
      unrest.push(`the writer is not through with "${order}" after ${WRITTEN_WITHIN_MS} ms`);
    story.tell('writer', `${order}: ${JSON.stringify(writer.report.written)}, ${writer.report.repeated} sends repeated`);
    const inTheWay = await comeToRest(application, brokers, instances, REST_WITHIN_MS);
    if (inTheWay !== undefined) unrest.push(`not at rest after ${REST_WITHIN_MS} ms: ${inTheWay.slice(0, 1_000)}`);
  }
  return unrest;
}

async function endAll(instances: readonly Instance[]): Promise<string[]> {
  const exits = await Promise.all(instances.map((instance) => instance.terminate()));
  return exits.flatMap((exit, at) => {
    if (exit !== 'tooLate' && exit.code === 0) return [];
    return `${instances[at]!.name} did not end with 0 after SIGTERM: ${exit === 'tooLate' ? 'it took too long' : (exit.signal ?? exit.code)}`;
  });
}

async function count(build: string, order: Omit<CountOrder, 'java' | 'reader'>, signal: AbortSignal): Promise<Verdict> {
  const program = join(build, 'scripts', 'chaos', 'count', 'count.js');
  const whole: CountOrder = { ...order, java: await findJava(), reader: READER };
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(whole)], {
    maxBuffer: 64 * 1024 * 1024,
    timeout: 300_000,
    signal,
  });
  return JSON.parse(stdout) as Verdict;
}
