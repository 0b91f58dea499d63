import { MillraceError } from '../errors/millrace-error';
import type { Plan } from '../task/plan';

/**
 * Of every topic that a topology reads or writes.
 *
 * @param partitions of all of them, or by topic name, and then 1 of those that are not named
 * @throws CONFIG
 */
export function partitionCounts(plan: Plan, partitions: number | Readonly<Record<string, number>>): ReadonlyMap<string, number> {
  const topics = new Set([...[...plan.sources, ...plan.globals].map(({ name }) => name), ...plan.sinks]);
  const stated = typeof partitions === 'number' ? {} : partitions;
  const unknown = Object.keys(stated).filter((name) => !topics.has(name));
  if (unknown.length > 0) {
    throw new MillraceError('CONFIG', `partitions names ${named(unknown)}; the topology reads and writes ${named([...topics])}`);
  }
  const counts = new Map(
    [...topics].map((name): [string, number] => [name, typeof partitions === 'number' ? partitions : (stated[name] ?? 1)]),
  );
  for (const [name, count] of counts) {
    if (Number.isSafeInteger(count) && count >= 1) continue;
    throw new MillraceError('CONFIG', `topic "${name}" cannot have ${count} partitions: a whole number ≥ 1 is needed`, {
      where: { topic: name },
    });
  }
  return counts;
}

/** As a list in a message. */
export function named(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map((name) => `"${name}"`).join(', ');
}
