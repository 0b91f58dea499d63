import type { WorkAtHand } from './caught-up';
import type { Composition } from './composition';
import type { Layout } from './layout';

/** What is to be seen of a running instance from without: for the process that has several. */
export interface InstanceAtWork extends WorkAtHand {
  readonly layout: Layout;
  /** Empty: not a member of the group yet. */
  readonly memberId: string;
  /** Numbers of the tasks that it has, ready or not. */
  readonly tasks: readonly number[];
}

export function instanceAtWork({ parts, layout }: { readonly parts: Composition; readonly layout: Layout }): InstanceAtWork {
  const tasks = parts.assignment.all().flatMap(({ number, dropped }) => (dropped ? [] : [number]));
  return { ...workOf(parts), layout, tasks, memberId: parts.membership.identity().memberId };
}

/** What the tasks that it has have left to do. */
export function workOf({ assignment, cycle }: Composition): WorkAtHand {
  return {
    untilThrough: () => {
      const all = assignment.all();
      const through = all.map(({ task }) => task?.untilThrough());
      return () => all.every(({ running, dropped }, at) => dropped || (running && through[at]?.() !== false));
    },
    hasNews: () => assignment.all().some(({ task }) => task?.hasNews === true),
    commit: () => cycle.now(),
  };
}
