import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { withBroker } from './contest/ground';
import { Ground } from './instances/ground';
import type { InstanceProcess } from './instances/instance-process';
import { SteadyWriter } from './instances/steady-writer';

const PARTITIONS = 2;
const MINUTE_MS = 60_000;
/** After the newcomer's first transaction. */
const WATCH_ON_MS = 3_000;

/**
 * An instance with an empty disk joins another one that has two tasks of `--rows` rows each, while records go on coming: the longest time
 * without a transaction of the task that stays, and of the one that moves. Goal: 1 s for the one that stays.
 */
export async function run(args: readonly string[]): Promise<object> {
  const { values } = parseArgs({ args: [...args], options: { rows: { type: 'string', default: '1000000' } } });
  const rows = Number(values.rows) * PARTITIONS;
  return withBroker(false, (brokers) => {
    const application = `joining-${Date.now()}`;
    return Ground.with({ application, brokers, partitions: PARTITIONS, rows }, async (ground) => {
      const figures = await joined(ground, brokers, rows);
      return { rowsPerTask: Number(values.rows), ...figures, cpu: cpus()[0]?.model, cores: cpus().length };
    });
  });
}

async function joined(ground: Ground, brokers: readonly string[], rows: number): Promise<object> {
  const first = ground.instance('first');
  await first.until('all rows are in its stores', ({ processed }) => processed >= rows, 20 * MINUTE_MS);
  console.log(`${rows} rows are in the stores of ${PARTITIONS} tasks`);
  const writer = new SteadyWriter(brokers, ground.job.input, rows);
  await first.until('it goes on', ({ processed }) => processed > rows, MINUTE_MS);
  const from = Date.now();
  const second = ground.instance('second');
  await second.until('it has a task', ({ processed }) => processed > 0, 20 * MINUTE_MS);
  const commits = second.told('committed');
  const until = (commits[0]?.at ?? 0) + WATCH_ON_MS;
  await second.until('some more transactions', () => Date.now() > until, MINUTE_MS);
  await writer.stop();
  const moved = new Set(second.told('started').map(({ task }) => task));
  const gaps = Array.from({ length: PARTITIONS }, (_, task) => ({
    task,
    moved: moved.has(task),
    ms: longestGap([first, second], task, from, until),
  }));
  for (const { task, moved: hasMoved, ms } of gaps) console.log(`task ${task} ${hasMoved ? 'moved' : 'stayed'}: longest gap ${ms} ms`);
  return { msUntilMoved: (second.told('started')[0]?.at ?? 0) - from, gaps };
}

function longestGap(instances: readonly InstanceProcess[], task: number, from: number, until: number): number {
  const times = instances
    .flatMap((instance) => instance.told('committed'))
    .filter(({ tasks }) => tasks.some(({ partition, records }) => partition === task && records > 0))
    .map(({ at }) => at)
    .filter((at) => at > from && at < until)
    .sort((a, b) => a - b);
  return [...times, until].reduce((longest, at, index) => Math.max(longest, at - (times[index - 1] ?? from)), 0);
}
