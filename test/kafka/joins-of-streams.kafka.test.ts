import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { kafkaCluster } from '../../src/millrace';
import { hours } from '../../src/model/duration';
import { record } from '../../src/testing';
import { pureRandom } from '../commit/chance';
import { keysOf } from '../commit/programs';
import { kafkaBrokers } from './brokers';
import { joinsOfStreams, keyOf, WINDOWS } from './joins/streams';
import { killAll, live } from './joins/live';

const KILLS = 4;
const RECORDS_A_LIFE = 120;
const SPAN_MS = 60_000;
/** Neither so old that the broker removes it while the test runs, nor, hours later, ahead of its clock. */
const BEGIN = Date.now() - hours(5);
const SEED = Number(process.env['MILLRACE_SEED'] ?? 1);

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-joins-'));

afterAll(() => {
  killAll();
  rmSync(folder, { recursive: true, force: true });
});

interface Written {
  readonly value: string;
  readonly timestamp: number;
}

/** What must come out: it follows from the records alone, for nothing is late. */
function expected(left: readonly Written[], right: readonly Written[], rows: readonly Written[]): Record<string, string[]> {
  const partners = (of: Written): Written[] =>
    right.filter(({ value, timestamp }) => {
      const distance = timestamp - of.timestamp;
      return keyOf(value) === keyOf(of.value) && distance >= -WINDOWS.before && distance <= WINDOWS.after;
    });
  const pairs = left.flatMap((each) => partners(each).map(({ value }) => `${each.value} & ${value}`));
  const alone = left.filter((each) => partners(each).length === 0).map(({ value }) => `${value} & nobody`);
  const inTime = left.map((each) => {
    const versions = rows.filter(({ value, timestamp }) => keyOf(value) === keyOf(each.value) && timestamp <= each.timestamp);
    const valid = versions.sort((a, b) => a.timestamp - b.timestamp).at(-1);
    return `${each.value} @ ${valid?.value ?? 'nothing'}`;
  });
  return { inner: pairs.sort(), left: [...pairs, ...alone].sort(), inTime: inTime.sort() };
}

describe('joins of streams, on Kafka', () => {
  it('give each pair once, each record without a partner alone once, and rows as of their time, whoever is killed in the middle', async () => {
    const chance = pureRandom(SEED);
    const [broker = ''] = kafkaBrokers();
    const application = `streams-${process.pid}-${Date.now()}`;
    const { inputs, results } = joinsOfStreams(`${application}-`);
    const cluster = kafkaCluster({ brokers: [broker] });
    const keys = [0, 1, 2].flatMap((partition) => keysOf(partition, 3, 3));
    const all = { left: [] as Written[], right: [] as Written[], rows: [] as Written[] };
    let number = 0;
    const draw = (to: Written[]): Written => {
      const key = keys[chance.below(keys.length)]!;
      number++;
      const written = { value: `${key} ${number}`, timestamp: BEGIN + chance.below(SPAN_MS) };
      to.push(written);
      return written;
    };
    // Where a record lies at first has nothing to do with the key it is joined by.
    const write = (side: 'left' | 'right', records: readonly Written[]): Promise<void> =>
      cluster.write(inputs[side], records.map(({ value, timestamp }) => record(value, value, timestamp))); // prettier-ignore
    const drawn = (side: 'left' | 'right'): Written[] => Array.from({ length: RECORDS_A_LIFE / 4 }, () => draw(all[side]));

    await cluster.createTopics([
      { name: inputs.left.name, partitions: 3 },
      { name: inputs.right.name, partitions: 2 },
      { name: inputs.rows.name, partitions: 3, configs: { 'cleanup.policy': 'compact' } },
      ...Object.values(results).map(({ name }) => ({ name, partitions: 3 })),
    ]);
    const rows = Array.from({ length: 60 }, () => draw(all.rows)).sort((a, b) => a.timestamp - b.timestamp);
    await cluster.write(inputs.rows, rows.map(({ value, timestamp }) => record(keyOf(value), value, timestamp))); // prettier-ignore

    const common = { program: 'streams' as const, application, brokers: [broker], untilCaughtUp: false };
    for (let life = 0; life < KILLS; life++) {
      const instanceId = life % 2 === 0 ? 'kept' : `lost-${life}`;
      const worker = live({ ...common, instanceId, stateDirectory: path.join(folder, instanceId) });
      await write('left', drawn('left'));
      await write('right', drawn('right'));
      await worker.committed(1);
      const writing = Promise.all([write('right', drawn('right')), write('left', drawn('left'))]);
      // All may be through before that many commits.
      await Promise.race([worker.committed(2 + chance.below(6)), writing]);
      await worker.kill();
      await writing;
    }
    const toTheEnd = (): Promise<number | null> =>
      live({ ...common, untilCaughtUp: true, instanceId: 'kept', stateDirectory: path.join(folder, 'kept') }).ended;
    expect(await toTheEnd()).toBe(0);
    const last = [0, 1, 2].map((partition) => ({ value: `${keysOf(partition, 3)[0]!} last`, timestamp: BEGIN + hours(3) }));
    await write('left', last);
    expect(await toTheEnd()).toBe(0);

    const found: Record<string, string[]> = {};
    for (const [name, result] of Object.entries(results)) {
      const values = (await cluster.read(result)).map(({ value }) => value);
      found[name] = values.filter((value) => !value.includes(' last')).sort();
    }
    expect(found).toEqual(expected(all.left, all.right, all.rows));
    const owned = ['inner-rows', 'left-rows', 'waiting', `${inputs.rows.name}-versions`].map((store) => `${store}-changelog`);
    await cluster.deleteTopics([
      ...[...Object.values(inputs), ...Object.values(results)].map(({ name }) => name),
      ...[...owned, 'left-by-key-repartition', 'right-by-key-repartition'].map((name) => `${application}-${name}`),
    ]);
    await cluster.close();
  }, 120_000);
});
