import type { StoreDefinition, StoreShape } from '../model/store-definition';
import { TaskStores } from '../state/task-stores';
import { manualClock } from '../time/manual-clock';
import { MemoryScope, scopes } from './memory-scope';

/**
 * A store in memory that belongs to no application: what an operator alone is tested with. It is the store a task has, with a scope of
 * its own: what a task would run before its next record (closing windows, say) runs within the push. Values are frozen.
 *
 * @example
 * cold('-a-b|', records).pipe(countWithStore(memoryStore(clicksPerUser)))
 */
export function memoryStore<S>(definition: StoreDefinition<S>): S {
  const { shape } = definition as unknown as { readonly shape: StoreShape };
  const scope = new MemoryScope();
  const handle = new TaskStores({ shapes: [shape], partition: 0, scope, clock: manualClock(), freeze: true }).handle(shape.name);
  scopes.set(handle, scope);
  return handle as unknown as S;
}

/** @internal What the operators on a store of `memoryStore`, or on a table of `memoryGlobalTable`, have dropped. */
export function droppedRecords(on: object): number {
  return scopes.get(on)?.total('dropped-records-total') ?? 0;
}
