/** What workers run. A test names a job, and its workers are told the name. */
import { map, merge, type Observable, type OperatorFunction } from 'rxjs';
import { countWithStore, lookup, mapValues, processWithStore, selectKey, to, windowTumbling } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import type { Outgoing } from '../../src/model/outgoing';
import type { KafkaRecord, Placement } from '../../src/model/record';
import type { Windowed } from '../../src/model/window';
import { windowStore } from '../../src/state/definition';
import { timerStore } from '../../src/state/timer-definition';
import type { Topology } from '../../src/task/topology';

export type JobName = 'counts' | 'calls' | 'timers';

export interface Job {
  readonly topology: Topology;
  /** Written by the test; key = a number of its own. */
  readonly input: string;
  readonly output: string;
  /** Everything that is there in the end. */
  readonly topics: readonly string[];
}

/** How long the slow word takes, and who hears that it is there. */
interface Slow {
  readonly ms: number;
  readonly met: () => void;
}

type Text = KafkaRecord<string, string>;

export const WINDOW_MS = 10_000;
/** A record with this word takes as long as the worker is told. */
export const SLOW_WORD = 'slow';
/** What a worker writes into its log when it comes to that word, before it takes its time. */
export const SLOW_MET = 'the slow word';
/** ms of silence after which a partition of the job `timers` holds no window open. */
export const IDLE_AFTER_MS = 5_000;

const texts = { key: string, value: string };
/** Nothing is ever late. */
const patient = { size: WINDOW_MS, grace: 3_600_000 };
const strict = { size: WINDOW_MS };

/**
 * `counts`: words by window behind a repartition, value = the word. Comes out as key `word@start`, value 1, 2, 3 … The slow word keeps its
 * process busy, and nothing else happens there meanwhile.
 *
 * `calls`: the same, behind a call that the slow word has to wait for.
 *
 * `timers`: what happens without any record. Value = `word ms`; `ms` after the record's own time, by the wall clock, it rings: key = the
 * record's, value `rings`. And how many records a word had in a window when that closes, key `word@start`; the windows of partitions that
 * are behind close when they have been idle.
 */
export function jobOf(name: JobName, application: string, slow: Slow = { ms: 0, met: () => undefined }): Job {
  const input = `${application}-input`;
  const output = `${application}-output`;
  const internal = ['by-word-repartition', 'per-window-changelog', ...(name === 'timers' ? ['alarms-changelog'] : [])];
  const topologies = { counts, calls, timers };
  return {
    ...{ input, output },
    topology: topologies[name](input, output, slow),
    topics: [input, output, ...internal.map((each) => `${application}-${each}`)],
  };
}

const byWord = internalTopic('by-word', texts);
const wordOf = (value: string): string => value.split(' ')[0] ?? '';

/** Key `word@start`, value the count in words that any reader can read. */
const written =
  (output: string) =>
  (results: Observable<KafkaRecord<Windowed<string>, number>>): Observable<Outgoing<string, string>> =>
    results.pipe(
      map((result) => result.withValue(String(result.value))),
      selectKey((_count, { key }) => `${key.key}@${key.start}`),
      to(topic(output, texts)),
    );

function counting(input: string, output: string, delayed: OperatorFunction<Text, Text>): Topology {
  const perWindow = windowStore('per-window', { key: string, value: int64, windows: patient });
  return ({ stream, store, repartition }) =>
    stream(topic(input, texts)).pipe(
      delayed,
      repartition(byWord, wordOf),
      windowTumbling(patient),
      countWithStore(store(perWindow)),
      written(output),
    );
}

function counts(input: string, output: string, slow: Slow): Topology {
  const busy = (word: string): string => {
    if (word === SLOW_WORD) slow.met();
    const until = performance.now() + (word === SLOW_WORD ? slow.ms : 0);
    while (performance.now() < until);
    return word;
  };
  return counting(input, output, mapValues(busy));
}

function calls(input: string, output: string, slow: Slow): Topology {
  const answer = (word: string): Promise<string> =>
    new Promise((resolve) => {
      if (word === SLOW_WORD) slow.met();
      setTimeout(resolve, word === SLOW_WORD ? slow.ms : 0, word);
    });
  const delayed: OperatorFunction<Text, Text> = (records) =>
    records.pipe(
      lookup<string, string, Placement, string, string>(answer, { id: (word) => word }),
      mapValues(([, word]) => word),
    ) as Observable<Text>;
  return counting(input, output, delayed);
}

function timers(input: string, output: string): Topology {
  const alarms = timerStore('alarms', { key: string, clock: 'wall' });
  const perWindow = windowStore('per-window', { key: string, value: int64, windows: strict });
  const watermark = { outOfOrderness: 0, idleAfter: IDLE_AFTER_MS };
  return ({ stream, store, repartition }) => {
    const records = stream(topic(input, { ...texts, watermark }));
    const rings = records.pipe(
      processWithStore(
        { alarms: store(alarms) },
        {
          record: ({ key, value, timestamp }, stores): Text[] => {
            const ms = Number(value.split(' ')[1] ?? 'NaN');
            if (!Number.isNaN(ms)) stores.alarms.set(key, timestamp + ms);
            return [];
          },
          timer: (timer) => [timer.record('rings')],
        },
      ),
      to(topic(output, texts)),
    );
    const closed = records.pipe(
      repartition(byWord, wordOf),
      windowTumbling(strict),
      countWithStore(store(perWindow), { emit: 'close' }),
      written(output),
    );
    return merge(rings, closed);
  };
}
