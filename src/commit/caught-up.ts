import type { OffsetReader } from '../kafka/offsets';
import type { TopicPartition } from '../kafka/port';
import { delay, type Clock } from '../time/clock';
import type { InputTopic } from './layout';

/** What one instance, or all threads of a process, have to do before all is done that can be done. */
export interface WorkAtHand {
  /** Whether the tasks are through with what they have left to do now, of what they have read. */
  readonly untilThrough: () => () => boolean | Promise<boolean>;
  /** They have something to say to those behind their repartitions. */
  readonly hasNews: () => boolean | Promise<boolean>;
  /** Commits what is done by now; settles when that has been decided. */
  readonly commit: () => Promise<void>;
}

/** What a layout says of the inputs. */
export interface InputsInOrder {
  readonly inputs: readonly Pick<InputTopic, 'topic' | 'partitions' | 'internal'>[];
  /** Names of the repartition topics on the cluster, upstream before downstream. */
  readonly repartitionOrder: readonly string[];
}

export interface CaughtUpOptions extends WorkAtHand {
  readonly layout: InputsInOrder;
  readonly offsets: OffsetReader;
  readonly clock: Clock;
  readonly groupId: string;
  /** ms between two looks at the committed offsets. */
  readonly pollMs: number;
  readonly stopped: () => boolean;
}

/** ms for which tasks may have something to say: in live traffic they always have; what there was to say at first has been said by then. */
const QUIET_WITHIN_MS = 2_000;

/**
 * Settles when every input's committed position, of the whole group, has reached the end read at the start; true unless stopped.
 *
 * Source topics end at their last stable offset, so that a foreign transaction left open does not hang us. Internal topics follow in the
 * order of the edges, their ends read when everything upstream is done, closes and watermarks too, and at the high watermark: the marker of
 * our own last transaction may land there after that of the offsets.
 */
export async function caughtUp(options: CaughtUpOptions): Promise<boolean> {
  const { layout, offsets } = options;
  const inputs = (internal: boolean): TopicPartition[][] =>
    layout.inputs
      .filter((input) => input.internal === internal)
      .map(({ topic, partitions }) => Array.from({ length: partitions }, (_, partition) => ({ topic, partition })));
  const sources = inputs(false).flat();
  if (!(await committedUpTo(options, await offsets.endOffsets(sources, true)))) return false;
  if (!(await quieted(options))) return false;
  for (const name of layout.repartitionOrder) {
    const partitions = inputs(true).find(([first]) => first?.topic === name) ?? [];
    if (!(await committedUpTo(options, await offsets.endOffsets(partitions, false)))) return false;
    if (!(await quieted(options))) return false;
  }
  return true;
}

async function quieted({ clock, pollMs, stopped, untilThrough, hasNews, commit }: CaughtUpOptions): Promise<boolean> {
  for (;;) {
    const isThrough = untilThrough();
    while (!(await isThrough()) && !stopped()) await delay(clock, pollMs);
    const deadline = clock.monotonic() + QUIET_WITHIN_MS;
    while ((await hasNews()) && clock.monotonic() < deadline && !stopped()) await delay(clock, pollMs);
    await commit();
    if (stopped()) return false;
    // Else it has been undone, and is being done again.
    if (await isThrough()) return true;
  }
}

async function committedUpTo(options: CaughtUpOptions, ends: readonly (TopicPartition & { readonly offset: number })[]): Promise<boolean> {
  const { offsets, clock, groupId, pollMs, stopped } = options;
  for (;;) {
    if (stopped()) return false;
    const committed = await offsets.committedOffsets(groupId, ends);
    if (ends.every(({ offset }, at) => (committed[at]?.offset ?? -1) >= offset)) return true;
    await delay(clock, pollMs);
  }
}
