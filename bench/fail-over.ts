import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { withBroker } from './contest/ground';
import { Ground } from './instances/ground';
import { sum } from './instances/instance-process';
import { SteadyWriter } from './instances/steady-writer';

const SESSION_TIMEOUT_MS = 6_000;
const MINUTE_MS = 60_000;

interface FailOver {
  /** From the kill to the first transaction that its successor committed. */
  readonly ms: number;
  /** Changelog records that the successor had to read, rows that it had as a standby not counted. */
  readonly recordsRead: number;
}

/**
 * kill -9 of the instance whose task holds `--rows` rows, while records go on coming: how long until its standby commits in its place,
 * and how much it has to read for that. Every record must have one result in the end. Goal: session timeout + 2 s, < 10,000 records.
 */
export async function run(args: readonly string[]): Promise<object> {
  const { values } = parseArgs({
    args: [...args],
    options: { rows: { type: 'string', default: '5000000' }, rounds: { type: 'string', default: '3' } },
  });
  const rows = Number(values.rows);
  const rounds = Number(values.rounds);
  return withBroker(false, (brokers) => {
    const application = `fail-over-${Date.now()}`;
    return Ground.with({ application, brokers, partitions: 1, rows }, async (ground) => {
      const failOvers = await failedOver(ground, brokers, rows, rounds);
      return { rows, rounds, sessionTimeoutMs: SESSION_TIMEOUT_MS, failOvers, cpu: cpus()[0]?.model, cores: cpus().length };
    });
  });
}

async function failedOver(ground: Ground, brokers: readonly string[], rows: number, rounds: number): Promise<FailOver[]> {
  const options = { sessionTimeout: SESSION_TIMEOUT_MS, heartbeatInterval: 1_000, standbyReplicas: 1 };
  let active = ground.instance('a', options);
  await active.until('all rows are in its store', ({ processed }) => processed >= rows, 20 * MINUTE_MS);
  console.log(`${rows} rows are in the store of one task`);
  const writer = new SteadyWriter(brokers, ground.job.input, rows);
  const failOvers: FailOver[] = [];
  for (let round = 1; round <= rounds; round++) {
    const standby = ground.instance(`standby-${round}`, options);
    const began = Date.now();
    await standby.until(
      'its standby has all rows',
      (told) => sum(told.told('followed').map(({ records }) => records)) >= rows,
      20 * MINUTE_MS,
    );
    const followed = Date.now() - began;
    // Of its own accord it tells by then that it is in step; what it lacks now is what came within one round of fetching.
    await standby.until('it is in step', () => Date.now() - began > followed + 3_000, MINUTE_MS);
    const killedAt = Date.now();
    await active.end('SIGKILL');
    await standby.until('it commits', (told) => told.processed > 0, 2 * MINUTE_MS);
    const ms = (standby.told('committed').find(({ tasks }) => sum(tasks.map(({ records }) => records)) > 0)?.at ?? 0) - killedAt;
    const recordsRead = sum(standby.told('restored').map(({ records }) => records));
    console.log(`round ${round}: ${rows} rows followed in ${followed} ms; fail-over after ${ms} ms, ${recordsRead} changelog records read`);
    failOvers.push({ ms, recordsRead });
    active = standby;
  }
  const written = await writer.stop();
  await resultsOf(ground, written);
  return failOvers;
}

async function resultsOf(ground: Ground, written: number): Promise<void> {
  const deadline = performance.now() + MINUTE_MS;
  let results = -1;
  while (results !== written) {
    results = await ground.results();
    if (results > written || performance.now() > deadline) throw new Error(`${written} records came, and there are ${results} results`);
  }
}
