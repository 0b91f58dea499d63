import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import { Ground, PARTITIONS, SESSION_MS } from './ground';
import { SLOW_WORD } from './jobs';

/** Two of them are longer than the session: between them there are heartbeats. */
const BUSY = { ms: 4_000, records: 2 };
/** A task has the time of a session to leave, at most 10 s. Enough of them that every task has one. */
const AWAY = { ms: SESSION_MS + 3_000, records: 24 };

async function writeSlowly({ cluster, job }: Ground, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, at) =>
    KafkaRecord.of<string, string>(`slow-${at}`, SLOW_WORD, Date.UTC(2026, 0, 1), noOrigin),
  );
  await cluster.write(topic(job.input, { key: string, value: string }), records);
}

describe('a slow record while its task is taken away', () => {
  it.each([
    ['counts', BUSY, 'R2: keeps its process busy, and the task leaves when it is done'],
    ['calls', AWAY, 'R13: waits for an answer for longer than there is time; its task is given up, and the next owner asks again'],
  ] as const)('%s, %j. %s', (job, { ms: slowMs, records }, _what) =>
    Ground.with(
      'slow-record',
      async (ground) => {
        const writer = ground.writer();
        const one = await ground.worker('one', { slowMs }).running();
        await ground.settled(one);
        const two = ground.worker('two', { slowMs, at: { step: 'joinGroup', nth: 1, signal: 'SIGSTOP' } });
        await two.stopped();
        await writeSlowly(ground, records);
        const writtenAt = Date.now();
        await one.until('it has come to the slow record', 30_000, ({ slowMet }) => slowMet >= (job === 'calls' ? PARTITIONS : 1));
        two.signal('SIGCONT');
        await two.until('it has tasks', 60_000, () => two.committedSince(0).length > 0);
        await ground.settled(one, two);
        await writer.stop();
        await ground.expectExactlyOnce(writer);
        const asked = one.slowMet + two.slowMet;
        ground.told(`longest gap ${ground.longestGap(writtenAt)} ms; ${records} slow records begun ${asked} times`);
        expect(asked).toBeGreaterThanOrEqual(records);
        // Those of the tasks that moved were under way, and were given up.
        if (job === 'calls') expect(asked).toBeGreaterThan(records);
      },
      job,
    ),
  );
});
