/** Local state and what it mirrors: cut off while it is restored, without its offsets, without its changelog, with an input that was cut off. */
import { Kafka, logLevel } from 'kafkajs';
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import { Ground } from './ground';
import { until } from './until';
import type { WorkerProcess } from './worker-process';

const RECORDS = 200_000;
const WORDS = 100_000;

/** Many words, so that changelogs take several fetches each. */
async function writeWords(ground: Ground, from: number, count: number): Promise<void> {
  const input = topic(ground.job.input, { key: string, value: string });
  const began = 1_700_000_000_000;
  const records = Array.from({ length: count }, (_, at) =>
    KafkaRecord.of<string, string>(`number-${from + at}`, `word-${(from + at) % WORDS}-${'x'.repeat(20)}`, began, noOrigin),
  );
  await ground.cluster.write(input, records);
}

async function ended(worker: WorkerProcess): Promise<void> {
  worker.signal('SIGTERM');
  expect(await worker.ended(60_000)).toEqual({ code: 0, signal: null });
}

/** Changelog records that a worker has read for tasks whose restore was finished. */
function restoredBy(worker: WorkerProcess): number {
  const lines = worker.log.split('\n').filter((line) => line.includes('is restored: '));
  return lines.reduce((sum, line) => sum + (JSON.parse(line) as { readonly records: number }).records, 0);
}

describe('a restore', () => {
  it('S3: that is cut off by kill -9 goes on from where it was', () =>
    Ground.with('restore-killed', async (ground) => {
      await writeWords(ground, 0, RECORDS);
      const first = await ground.worker('first').running();
      await ground.expectExactlyOnce();
      await ended(first);
      const changelog = await ground.committed(`${ground.application}-per-window-changelog`);
      const killed = ground.worker('killed').letEnd();
      await killed.until('one task is restored', 60_000, () => restoredBy(killed) > 0);
      killed.atNext('writing LevelDB', 'SIGKILL');
      expect((await killed.ended(60_000)).signal).toBe('SIGKILL');
      const again = await ground.worker('again', { stateOf: 'killed' }).running();
      const read = restoredBy(again);
      ground.told(
        `${changelog.count} changelog records; the one that was killed read ${restoredBy(killed)} of them for tasks that it finished, its successor read ${read}`,
      );
      expect(read).toBeGreaterThan(0);
      expect(read).toBeLessThanOrEqual(changelog.count - restoredBy(killed));
      await writeWords(ground, RECORDS, 2_000);
      await ground.expectExactlyOnce();
    }));
});

describe('committed offsets that are gone', () => {
  it('while changelogs hold state end every start, with the way on, and nothing is counted twice', () =>
    Ground.with('offsets-gone', async (ground) => {
      await writeWords(ground, 0, 2_000);
      await ended(await working(ground, 'first'));
      const admin = new Kafka({ brokers: [...ground.brokers.bootstrap], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      await admin.deleteGroups([ground.application]).finally(() => admin.disconnect());
      for (const stateOf of ['first', 'another']) {
        const refused = ground.worker(`refused-${stateOf}`, { stateOf }).letEnd();
        await refused.ended(60_000);
        expect(refused.failure).toMatchObject({ code: 'COMMITTED_STATE_WITHOUT_OFFSETS' });
        expect(refused.failure?.message).toContain('reset the application');
      }
      const output = await ground.committed(ground.job.output);
      expect(output.count).toBe(2_000);
    }));
});

describe('a changelog that was deleted', () => {
  it('takes local state with it, which belongs to another topic now, and a line in the log says so', () =>
    Ground.with('changelog-gone', async (ground) => {
      await writeWords(ground, 0, 2_000);
      await ended(await working(ground, 'first'));
      await ground.cluster.deleteTopics([`${ground.application}-per-window-changelog`]);
      const again = await ground.worker('first').running();
      expect(again.log).toContain('was deleted and created anew');
      await writeWords(ground, 0, 2_000);
      await again.until('it commits what has come', 60_000, () => again.recordsSince(0) >= 2_000);
      const output = await ground.committed(ground.job.output);
      // Every count begins anew: what was counted is gone with the topic.
      expect(new Set(output.records.map(({ value }) => value))).toEqual(new Set(['1']));
    }));
});

describe('positions that are out of range after a retention pass', () => {
  it('K12: are moved to what is left, with a line in the log; what is left is counted once', () =>
    Ground.with('out-of-range', async (ground) => {
      await writeWords(ground, 0, 2_000);
      await ended(await working(ground, 'first'));
      await writeWords(ground, 2_000, 1_000);
      const admin = new Kafka({ brokers: [...ground.brokers.bootstrap], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      const ends = await admin.fetchTopicOffsets(ground.job.input);
      const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }));
      await admin.deleteTopicRecords({ topic: ground.job.input, partitions }).finally(() => admin.disconnect());
      await writeWords(ground, 3_000, 500);
      const again = await ground.worker('first').running();
      await until('it has counted what is left', 60_000, async () => (await ground.committed(ground.job.output)).count >= 2_500);
      expect(again.log).toContain('is outside the log');
      const { records } = await ground.committed(ground.job.output);
      expect(records.map(({ key, value }) => `${key ?? ''} ${value}`).filter((each, at, all) => all.indexOf(each) !== at)).toEqual([]);
      expect(records).toHaveLength(2_500);
    }));
});

describe('events that are years old', () => {
  it('stay in repartition topics and changelogs when brokers remove what is too old', () =>
    Ground.with('years-old', async (ground) => {
      const witness = topic(`${ground.application}-witness`, { key: string, value: string });
      await ground.cluster.createTopics([{ name: witness.name, partitions: 3, configs: {} }]);
      await writeWords(ground, 0, 2_000);
      await ended(await working(ground, 'first'));
      // By then every broker that leads a part of it has removed what it may.
      const old = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((key) =>
        KafkaRecord.of<string, string>(key, '', 1_700_000_000_000, noOrigin),
      );
      await ground.cluster.write(witness, old);
      const { partitions } = await ground.client.metadata([witness.name]);
      expect(new Set(partitions.map(({ leader }) => leader)).size).toBe(3);
      await until('the witness is removed', 60_000, async () => {
        const starts = await Promise.all(partitions.map(({ leader, partition }) => ground.client.startOf(leader, witness.name, partition)));
        return starts.every((start) => start > 0);
      });
      await ground.cluster.deleteTopics([witness.name]);
      await writeWords(ground, 0, 2_000);
      await ground.worker('without-its-disk').running();
      await ground.expectExactlyOnce();
    }));
});

/** A worker that has processed what there is. */
async function working(ground: Ground, name: string): Promise<WorkerProcess> {
  const worker = await ground.worker(name).running();
  await ground.expectExactlyOnce();
  return worker;
}
