import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { kafkaCluster } from '../../src/millrace';
import { pureRandom } from '../commit/chance';
import { EveryTable, everyJoin, PARTITIONS, RESULTS, rowsOf } from '../commit/every-join';
import { kafkaBrokers } from './brokers';
import { killAll, live } from './joins/live';

/** How often an instance is killed, with its disk and without by turns. */
const KILLS = 5;
const CHANGES_A_LIFE = 150;
const SEED = Number(process.env['MILLRACE_SEED'] ?? 1);

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-joins-'));

afterAll(() => {
  killAll();
  rmSync(folder, { recursive: true, force: true });
});

describe('every join of tables, on Kafka', () => {
  it('ends with the join of the last rows, whoever is killed in the middle, with its disk or without', async () => {
    const chance = pureRandom(SEED);
    const [broker = ''] = kafkaBrokers();
    const application = `joins-${process.pid}-${Date.now()}`;
    const { inputs, results } = everyJoin(`${application}-`);
    const cluster = kafkaCluster({ brokers: [broker] });
    const tables = Object.entries(inputs).map(([name, input]) => ({
      name: input.name,
      partitions: PARTITIONS[name as keyof typeof PARTITIONS],
      configs: { 'cleanup.policy': name === 'questions' ? 'delete' : 'compact' },
    }));
    await cluster.createTopics([...tables, ...Object.values(results).map(({ name }) => ({ name, partitions: 3 }))]);
    const everything = new EveryTable();
    const common = { program: 'tables' as const, application, brokers: [broker], untilCaughtUp: false };
    const write = async (changes: number): Promise<void> => {
      const drawn = Array.from({ length: changes }, () => everything.draw(chance));
      for (const [name, input] of Object.entries(inputs)) {
        await cluster.write(
          input,
          drawn.filter(({ to }) => to === name).map((each) => each.change),
        );
      }
    };

    for (let number = 0; number < KILLS; number++) {
      const name = number % 2 === 0 ? 'kept' : `lost-${number}`;
      const [worker, other] = [name, ...(number === 3 ? ['other'] : [])].map((instanceId) =>
        live({ ...common, instanceId, stateDirectory: path.join(folder, instanceId) }),
      );
      await write(CHANGES_A_LIFE / 2);
      await worker!.committed(1);
      const writing = write(CHANGES_A_LIFE / 2);
      // All may be through before that many commits.
      await Promise.race([worker!.committed(2 + chance.below(6)), writing]);
      await worker!.kill();
      await other?.kill();
      await writing;
    }
    const toTheEnd = (): Promise<number | null> =>
      live({ ...common, untilCaughtUp: true, instanceId: 'kept', stateDirectory: path.join(folder, 'kept') }).ended;
    expect(await toTheEnd()).toBe(0);
    await cluster.write(inputs.questions, everything.questions());
    expect(await toTheEnd()).toBe(0);

    const found: Record<string, unknown> = { answers: rowsOf(await cluster.read(results.answers)) };
    for (const name of RESULTS) found[name] = rowsOf(await cluster.read(results[name]));
    expect(found).toEqual({ answers: everything.answers, ...everything.joined });
    const owned = [
      'by-person-repartition',
      'nicknames-changelog',
      'groups-changelog',
      'by-city-repartition',
      `${inputs.people.name}-table-changelog`,
    ];
    const references = ['residents', 'left-residents'].flatMap((store) =>
      ['changelog', 'subscriptions-repartition', 'answers-repartition'].map((kind) => `${store}-${kind}`),
    );
    await cluster.deleteTopics([
      ...[...Object.values(inputs), ...Object.values(results)].map(({ name }) => name),
      ...[...owned, ...references].map((name) => `${application}-${name}`),
    ]);
    await cluster.close();
  }, 120_000);
});
