import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import { Ground, SESSION_MS } from './ground';
import { SLOW_WORD } from './jobs';

/** Two of them are longer than the session: between them there are heartbeats. */
const BUSY_MS = 4_000;
/** A task has the time of a session to leave, at most 10 s. */
const AWAY_MS = SESSION_MS + 3_000;
const SLOW_RECORDS = 2;

async function writeSlowly({ cluster, job }: Ground): Promise<void> {
  const records = Array.from({ length: SLOW_RECORDS }, (_, at) =>
    KafkaRecord.of<string, string>(`slow-${at}`, SLOW_WORD, Date.UTC(2026, 0, 1), noOrigin),
  );
  await cluster.write(topic(job.input, { key: string, value: string }), records);
}

describe('a slow record while its task is taken away', () => {
  it.each([
    ['counts', BUSY_MS, 'R2: keeps its process busy, and the task leaves when it is done'],
    ['calls', AWAY_MS, 'R13: waits for an answer for longer than there is time; its task is given up, and the next owner asks again'],
  ] as const)('%s, %d ms. %s', (job, slowMs, _what) =>
    Ground.with(
      'slow-record',
      async (ground) => {
        const writer = ground.writer();
        const one = await ground.worker('one', { slowMs }).running();
        await one.until('it works', 30_000, () => one.committedSince(0).length > 10);
        const two = ground.worker('two', { slowMs });
        await two.until('it is up', 60_000, ({ state }) => state === 'rebalancing');
        await writeSlowly(ground);
        const writtenAt = Date.now();
        await two.until('it has tasks', 60_000, () => two.committedSince(0).length > 0);
        await ground.stable(2);
        ground.told(`longest gap ${ground.longestGap(writtenAt)} ms with records of ${slowMs} ms`);
        await writer.stop();
        await ground.expectExactlyOnce(writer);
      },
      job,
    ),
  );
});
