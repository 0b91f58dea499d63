/** Programs in watermark mode, and what a loop over the records in order of time gives. */
import { map, merge, Subject } from 'rxjs';
import { countWithStore, type LateRecord, to, windowTumbling } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import type { KafkaRecord, Placement } from '../../src/model/record';
import type { WatermarkOptions } from '../../src/model/topic';
import type { Windowed } from '../../src/model/window';
import { windowStore } from '../../src/state/definition';
import type { Topology } from '../../src/task/topology';
import { APP, type World } from './world';

export const tenSeconds = { size: 10_000 };
export const windowCounts = windowStore('window-counts', { key: string, value: int64, windows: tenSeconds });
export const results = topic('results', windowCounts.output);
/** What came too late for its window: key and timestamp are those of the record. */
export const late = topic('late', { key: string, value: string });
export const byValue = internalTopic('by-value', { key: string, value: string });
export const THROUGH = `${APP}-by-value-repartition`;

export const inputWith = (watermark: WatermarkOptions, name = 'input') => topic(name, { key: string, value: string, watermark });

/** Counts by key; each count goes out when its window closes. */
export const closing =
  (watermark: WatermarkOptions): Topology =>
  ({ stream, store }) =>
    stream(inputWith(watermark)).pipe(windowTumbling(tenSeconds), countWithStore(store(windowCounts), { emit: 'close' }), to(results));

/** Counts by value, behind a repartition; late ones go to a topic of their own. */
export const closingBehind =
  (watermark: WatermarkOptions): Topology =>
  ({ stream, store, repartition }) => {
    const lates = new Subject<LateRecord<string, string>>();
    const counts = stream(inputWith(watermark)).pipe(
      repartition(byValue, (value) => value),
      windowTumbling(tenSeconds),
      countWithStore(store(windowCounts), { emit: 'close', late: lates }),
      to(results),
    );
    return merge(
      counts,
      lates.pipe(
        map(({ record }) => record),
        to(late),
      ),
    );
  };

const again = internalTopic('again', { key: string, value: string });

/** The same behind two repartitions, the values of a second topic in between; that one is never idle. */
export const closingBehindTwo =
  (watermark: WatermarkOptions): Topology =>
  ({ stream, store, repartition }) => {
    const lates = new Subject<LateRecord<string, string>>();
    const first = stream(inputWith(watermark)).pipe(repartition(byValue, (value) => value));
    const counts = merge(first, stream(inputWith({ outOfOrderness: watermark.outOfOrderness }, 'side'))).pipe(
      repartition(again, (value) => value),
      windowTumbling(tenSeconds),
      countWithStore(store(windowCounts), { emit: 'close', late: lates }),
      to(results),
    );
    return merge(
      counts,
      lates.pipe(
        map(({ record }) => record),
        to(late),
      ),
    );
  };

type Placed = KafkaRecord<string, string, Placement>;

/** `key@start: count` of every window that closes when event time has come to `watermark`, sorted. */
export function expectedWindows(records: readonly Placed[], keyOf: (record: Placed) => string, watermark: number): string[] {
  const counts = new Map<string, number>();
  for (const record of records) {
    const start = Math.floor(record.timestamp / tenSeconds.size) * tenSeconds.size;
    if (start + tenSeconds.size > watermark) continue;
    const id = `${keyOf(record)}@${String(start)}`;
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return [...counts].map(([id, count]) => `${id}: ${String(count)}`).sort();
}

export function shown({ key, value }: KafkaRecord<Windowed<string>, number>): string {
  return `${key.key}@${String(key.start)}: ${String(value)}`;
}

export async function closed(world: World): Promise<string[]> {
  return (await world.read(results)).map(shown).sort();
}

export function lateOnes(world: World): Promise<readonly KafkaRecord<string, string>[]> {
  return world.read(late);
}
