import type { Layout } from '../../commit/layout';
import type { MemoryBroker } from '../../memory/memory-broker';

/** What living instances have left to do, in words; undefined: nothing. */
export function undone(broker: MemoryBroker, layout: Layout, groupId: string, alive: readonly string[]): string | undefined {
  return alive.length === 0 ? undefined : (rebalancing(broker, groupId, alive) ?? behind(broker, layout, groupId));
}

/** Until the group has missed who died, their tasks are nobody's. */
function rebalancing(broker: MemoryBroker, groupId: string, alive: readonly string[]): string | undefined {
  const group = broker.group(groupId);
  const state = group?.state ?? 'empty';
  const members = (group?.members ?? []).map(({ clientId }) => clientId).sort();
  if (state === 'stable' && members.join() === [...alive].sort().join()) return undefined;
  return `the group is ${state}, its members are ${members.join(', ')}`;
}

function behind(broker: MemoryBroker, { inputs }: Layout, groupId: string): string | undefined {
  const committed = broker.group(groupId)?.committed ?? [];
  for (const { topic, partitions } of inputs) {
    for (let partition = 0; partition < partitions; partition++) {
      const end = broker.partition({ topic, partition })?.highWatermark ?? 0;
      const position = committed.find((at) => at.topic === topic && at.partition === partition)?.offset ?? 0;
      if (position < end) return `topic "${topic}", partition ${partition}, is committed up to ${position} of ${end}`;
    }
  }
  return undefined;
}
