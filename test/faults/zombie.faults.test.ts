import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import { Ground, PARTITIONS, SESSION_MS } from './ground';
import { WINDOW_MS } from './jobs';
import { until } from './until';

describe('an instance that is stopped beyond its session and goes on', () => {
  // Where its transaction is when it stops: anywhere; begun; with offsets, and its end not yet sent.
  it.each(['any step', 'adding offsets', 'between offsets and EndTxn'])(
    'R10: is refused what it had under way, and joins again (stopped at: %s)',
    (step) =>
      Ground.with('zombie', async (ground) => {
        const writer = ground.writer();
        const zombie = await ground.worker('zombie').running();
        const other = await ground.worker('other').running();
        await ground.settled(zombie, other);
        if (step === 'any step') {
          zombie.signal('SIGSTOP');
        } else {
          zombie.atNext(step, 'SIGSTOP');
          await zombie.stopped();
        }
        const stoppedAt = Date.now();
        await other.until('it works alone', SESSION_MS + 60_000, () => other.tasksSince(stoppedAt).size === PARTITIONS);
        const gapMs = ground.longestGap(stoppedAt);
        zombie.signal('SIGCONT');
        const wokenAt = Date.now();
        await zombie.until('it is back at work', 60_000, () => zombie.committedSince(wokenAt).length > 5 && zombie.state === 'running');
        await ground.stable(2);
        ground.told(`gap ${gapMs} ms; back at work ${zombie.committedSince(wokenAt)[0]!.at - wokenAt} ms after it woke`);
        await writer.stop();
        await ground.expectExactlyOnce(writer);
      }),
  );

  it('S13: fires no timer and closes no window again when that is all it has to do', () =>
    Ground.with(
      'zombie-timers',
      async (ground) => {
        const zombie = await ground.worker('zombie').running();
        const other = await ground.worker('other').running();
        await ground.stable(2);
        const begin = Date.now();
        const keys = await writeAlarms(ground, begin);
        // Each record counts twice, before the repartition and behind it.
        await zombie.until(
          'all records are taken',
          30_000,
          () => zombie.recordsSince(begin) + other.recordsSince(begin) >= 2 * keys.length,
        );
        zombie.signal('SIGSTOP');
        const rung = async (): Promise<string[]> => (await contents(ground)).rung;
        await until('the other has fired all', 60_000, async () => (await rung()).length >= ALARMS);
        zombie.signal('SIGCONT');
        const wokenAt = Date.now();
        await zombie.until('it joins again', 60_000, () => zombie.told('generation').some(({ at }) => at > wokenAt));
        await ground.stable(2);
        await until('all windows are closed', 60_000, async () => (await contents(ground)).closed.size >= WORDS.length);
        const found = await contents(ground);
        expect(found.rung.sort()).toEqual(keys.slice(0, ALARMS).sort());
        expect(found.closed).toEqual(new Map(WORDS.map((word) => [`${word}@${String(windowOf(begin))}`, [ALARMS / WORDS.length]])));
        ground.told(`${ALARMS} timers and ${found.closed.size} windows, each once`);
      },
      'timers',
    ));
});

const ALARMS = 120;
const WORDS = ['amber', 'birch', 'cedar', 'delta', 'ember', 'flint'];

const windowOf = (time: number): number => Math.floor(time / WINDOW_MS) * WINDOW_MS;

/**
 * Alarms from now to the time at which the zombie's tasks have a new owner and beyond, all of one window, and a last record far ahead,
 * which closes that window as soon as the other partitions are idle.
 */
async function writeAlarms({ cluster, job }: Ground, now: number): Promise<string[]> {
  const declared = topic(job.input, { key: string, value: string });
  const records = Array.from({ length: ALARMS }, (_, number) => {
    const time = windowOf(now) + number;
    const ringsAt = now + (number / ALARMS) * 2 * SESSION_MS;
    return KafkaRecord.of<string, string>(String(number), `${WORDS[number % WORDS.length]!} ${Math.round(ringsAt - time)}`, time, noOrigin);
  });
  await cluster.write(declared, [...records, KafkaRecord.of<string, string>('ahead', 'ahead', now + 10 * WINDOW_MS, noOrigin)]);
  return [...records.map(({ key }) => key), 'ahead'];
}

/** Keys that rang, as often as they did; and what each window had when it was closed, as often as it was. */
async function contents(ground: Ground): Promise<{ readonly rung: string[]; readonly closed: ReadonlyMap<string, readonly number[]> }> {
  const { records } = await ground.committed(ground.job.output);
  const closed = new Map<string, number[]>();
  for (const { key, value } of records) {
    if (value !== 'rings') closed.set(key ?? '', [...(closed.get(key ?? '') ?? []), Number(value)]);
  }
  return { rung: records.filter(({ value }) => value === 'rings').map(({ key }) => key ?? ''), closed };
}
