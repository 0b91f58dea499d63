import { NEVER, type Subscriber } from 'rxjs';
import type { Topic } from '../model/topic';
import type { Plan } from '../task/plan';
import type { Task, TaskTopology } from '../task/topology';

/** One partition number of the topics asked for. */
export interface Partition {
  readonly partition: number;
  /** The partition of one of these topics, as an Observable. */
  readonly stream: Task['stream'];
}

/** A topology that hands its streams out instead of ending in topics; planned without assembling, because the assembly is the user's. */
export function partitionStreams(
  topics: readonly Topic<unknown, unknown>[],
  subscriber: Pick<Subscriber<Partition>, 'next'>,
): { readonly plan: Plan; readonly topology: TaskTopology } {
  return {
    plan: { sources: topics, repartitions: [], stores: [], sinks: [], globals: [], tables: [], meetings: [], feeds: [], cells: [] },
    topology: ({ stream }, partition) => {
      subscriber.next({ partition, stream });
      return NEVER;
    },
  };
}
