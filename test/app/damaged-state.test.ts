/** Local state of a real LevelDB that is deleted, damaged, or put back from a copy, between two runs: the results are those of an undisturbed run. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import {
  int64,
  KafkaRecord,
  keyValueStore,
  memoryCluster,
  millrace,
  processWithStore,
  string,
  to,
  topic,
  type Cluster,
  type Topology,
} from '../../src';
import { noOrigin } from '../../src/model/origin';

const words = topic('words', { key: string, value: string });
const totals = keyValueStore('totals', { key: string, value: int64 });
const results = topic('results', totals.output);

/** Counts by key; the word `forget` deletes the row. */
const counting: Topology = ({ stream, store }) =>
  stream(words).pipe(
    processWithStore(
      { rows: store(totals) },
      {
        record: (record, { rows }) => {
          const count = record.value === 'forget' ? 0 : (rows.get(record.key) ?? 0) + 1;
          if (count === 0) rows.delete(record.key);
          else rows.put(record.key, count);
          return [record.withValue(count)];
        },
      },
    ),
    to(results),
  );

const KEYS = 2_000;
const word = (number: number, value: string): KafkaRecord<string, string> =>
  KafkaRecord.of(`key-${number % KEYS}`, value, number, noOrigin);
const some = (from: number, count: number, value = 'word'): KafkaRecord<string, string>[] =>
  Array.from({ length: count }, (_, at) => word(from + at, value));

let directory: string;
let cluster: Cluster;
const warnings: string[] = [];
const ignored = (): void => undefined;
const logger = { debug: ignored, info: ignored, error: ignored, warn: (_: object, message: string) => void warnings.push(message) };

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-damaged-'));
  warnings.length = 0;
  cluster = memoryCluster();
  await cluster.createTopics([
    { name: 'words', partitions: 1 },
    { name: 'results', partitions: 1 },
  ]);
});

afterEach(async () => {
  await cluster.close();
  rmSync(directory, { recursive: true, force: true });
});

/** One life of the instance; gives the changelog records that it read. */
async function life(): Promise<number> {
  const app = millrace({ applicationId: 'damaged', cluster, stateDirectory: directory, logger, commitInterval: 10 });
  let restored = 0;
  app.restores$.subscribe(({ records, done }) => {
    if (done) restored += records;
  });
  await lastValueFrom(app.run(counting, { until: 'caught-up' }), { defaultValue: undefined });
  await app.close();
  return restored;
}

const folder = (): string => join(directory, 'damaged', 'slot-0', 'task-0');
const files = (ending: string): string[] =>
  readdirSync(folder())
    .filter((name) => name.endsWith(ending) || name.startsWith(ending))
    .map((name) => join(folder(), name))
    .sort();
const largest = (ending: string): string => files(ending).sort((a, b) => readFileSync(b).length - readFileSync(a).length)[0]!;
function flip(file: string, share: number): void {
  const bytes = readFileSync(file);
  bytes[Math.floor(bytes.length * share)]! ^= 0x55;
  writeFileSync(file, bytes);
}
const truncate = (file: string, share: number): void => {
  truncateSync(file, Math.floor(readFileSync(file).length * share));
};

/** Counts as a plain loop makes them. */
function expected(records: readonly KafkaRecord<string, string>[]): number[] {
  const counts = new Map<string, number>();
  return records.map(({ key, value }) => {
    const count = value === 'forget' ? 0 : (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count;
  });
}

const damages: readonly (readonly [string, () => void])[] = [
  ['deleted', () => rmSync(folder(), { recursive: true })],
  ['without CURRENT', () => rmSync(join(folder(), 'CURRENT'))],
  ['with a CURRENT that says nothing', () => writeFileSync(join(folder(), 'CURRENT'), '')],
  ['with another CURRENT', () => writeFileSync(join(folder(), 'CURRENT'), 'MANIFEST-999999\n')],
  ['with a flipped byte in its MANIFEST', () => flip(largest('MANIFEST'), 0.5)],
  ['with a MANIFEST cut in the middle', () => truncate(largest('MANIFEST'), 0.5)],
  ['without a table', () => rmSync(largest('.ldb'))],
  ['with a table cut in the middle', () => truncate(largest('.ldb'), 0.5)],
  ['with a flipped byte in the footer of a table', () => flip(largest('.ldb'), 0.9999)],
  ['with a flipped byte in the middle of its log', () => flip(largest('.log'), 0.5)],
  ['with a flipped byte at the beginning of its log', () => flip(largest('.log'), 0.001)],
  ['with a log cut in the middle', () => truncate(largest('.log'), 0.5)],
];

describe('local state', () => {
  it.each(damages)('%s is restored, and the results are the same', async (_, damage) => {
    const records: KafkaRecord<string, string>[] = [];
    const write = async (more: readonly KafkaRecord<string, string>[]): Promise<void> => {
      records.push(...more);
      await cluster.write(words, more);
    };
    await write(some(0, 3_000));
    await life();
    // Opened again, LevelDB makes a table of its log; what comes now is in the log.
    await write([...some(3_000, 1_500), ...some(100, 50, 'forget')]);
    await life();
    await write([...some(500, 1_000), ...some(700, 50, 'forget')]);
    await life();
    damage();
    await write(some(0, 3_000));
    // Damage that shows only when a row is read ends the instance; the folder is removed, and the next one has everything.
    await life().catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'STATE_CORRUPTED' });
      return life();
    });
    expect((await cluster.read(results)).map(({ value }) => value)).toEqual(expected(records));
  });

  it('S3, S14: of an old copy that is put back gets what it lacks, the deletions too', async () => {
    const records = some(0, 3_000);
    await cluster.write(words, records);
    await life();
    cpSync(directory, `${directory}-copy`, { recursive: true });
    for (const more of [some(3_000, 500), some(100, 200, 'forget')]) {
      records.push(...more);
      await cluster.write(words, more);
      await life();
    }
    rmSync(directory, { recursive: true });
    cpSync(`${directory}-copy`, directory, { recursive: true });
    rmSync(`${directory}-copy`, { recursive: true });
    records.push(...some(0, 1_000));
    await cluster.write(words, some(0, 1_000));
    // The difference, not everything: the copy is used.
    expect(await life()).toBe(700);
    expect(warnings).toEqual([]);
    expect((await cluster.read(results)).map(({ value }) => value)).toEqual(expected(records));
  });
});
