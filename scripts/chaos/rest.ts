import { setTimeout as pause } from 'node:timers/promises';
import type { TopicPartition } from '../../src/kafka/port';
import type { Brokers } from './brokers';
import type { Instance } from './instance';
import { PARTITIONS, topicsOf } from './topics';

const LOOK_EVERY_MS = 500;
/** What is read from one repartition may be on its way to the next: it must stay as it is for so long. */
const STILL_FOR_MS = 3_000;

/**
 * Waits until every instance runs, the group has committed all inputs and repartition topics to their ends, no transaction is open over
 * them, and nothing of that changes any more. Gives what is still in the way when the time is up; undefined: all is at rest.
 */
export async function comeToRest(
  application: string,
  brokers: Brokers,
  instances: readonly Instance[],
  withinMs: number,
): Promise<string | undefined> {
  const { events, left, right, repartitions } = topicsOf(application);
  const partitions = [events, left, right, ...repartitions].flatMap((topic) =>
    Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition })),
  );
  const deadline = performance.now() + withinMs;
  let before = '';
  let stillSince = performance.now();
  let inTheWay = 'nothing was seen';
  while (performance.now() < deadline) {
    await pause(LOOK_EVERY_MS);
    try {
      const ends = await brokers.offsets.endOffsets(partitions, false);
      const now = ends.map(({ offset }) => offset).join(',');
      const why = whyNotAtRest(
        instances,
        ends,
        await brokers.offsets.endOffsets(partitions, true),
        await committed(brokers, application, partitions),
      );
      if (now !== before || why !== undefined) stillSince = performance.now();
      before = now;
      inTheWay = why ?? 'more comes';
      if (performance.now() - stillSince >= STILL_FOR_MS) return undefined;
    } catch (error) {
      inTheWay = String(error);
      stillSince = performance.now();
    }
  }
  return inTheWay;
}

async function committed(brokers: Brokers, group: string, partitions: readonly TopicPartition[]): Promise<readonly number[]> {
  return (await brokers.offsets.committedOffsets(group, partitions)).map(({ offset }) => offset);
}

type End = TopicPartition & { readonly offset: number };

function whyNotAtRest(
  instances: readonly Instance[],
  ends: readonly End[],
  stable: readonly End[],
  committedOffsets: readonly number[],
): string | undefined {
  const late = instances.filter(({ state }) => state !== 'running').map(({ name, state }) => `${name} is ${state}`);
  const open = ends.flatMap(({ topic, partition, offset }, at) =>
    stable[at]!.offset < offset ? `${topic}-${partition}: a transaction is open at ${stable[at]!.offset}` : [],
  );
  const behind = ends.flatMap(({ topic, partition, offset }, at) =>
    offset > 0 && committedOffsets[at]! < offset ? `${topic}-${partition}: ${committedOffsets[at]} of ${offset} committed` : [],
  );
  const why = [...late, ...open, ...behind];
  return why.length === 0 ? undefined : why.join('; ');
}
