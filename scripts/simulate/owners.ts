import type { MemoryBroker } from '../../src/memory/memory-broker';
import type { CallOf } from '../../src/memory/call';
import { APP } from './program';

/** Each process takes its transactional id once; no two members commit positions of one partition in one generation, and positions never go back. */
export class Owners {
  private readonly owners = new Map<string, { readonly name: string; readonly memberId: string }>();
  private readonly writers = new Set<string>();
  /** Of the transaction under way, by client: tasks whose changelogs are in it, and tasks of which it has positions. */
  private readonly changed = new Map<string, Set<number>>();
  private readonly fenced = new Map<string, Set<number>>();
  private readonly positions = new Map<string, number>();

  constructor(
    private readonly broker: MemoryBroker,
    private readonly violated: (what: string) => void,
  ) {}

  /** Asked as the broker is about to execute it. */
  commits({ clientId, request }: CallOf<'txnOffsetCommit'>): void {
    const group = this.broker.group(APP);
    if (group?.generationId !== request.generationId) return;
    const members = new Set(group.members.map(({ memberId }) => memberId));
    if (!members.has(request.memberId)) return;
    // The processes of a static member take turns in one generation: the broker refuses the one before.
    const name = request.groupInstanceId ?? clientId;
    for (const { topic, partition } of request.partitions) {
      const what = `${topic}-${partition} in generation ${request.generationId}`;
      const owner = this.owners.get(what);
      // A coordinator that has taken over may give the number of a generation once more, to those that are there then.
      if (owner !== undefined && owner.name !== name && members.has(owner.memberId))
        this.violated(`${what} is committed by ${owner.name} and by ${name}`);
      this.owners.set(what, { name, memberId: request.memberId });
    }
  }

  adds({ clientId, request }: CallOf<'addPartitionsToTxn'>): void {
    this.writers.add(clientId);
    const changed = this.of(this.changed, clientId);
    for (const { topic, partition } of request.partitions) if (topic.endsWith('-changelog')) changed.add(partition);
  }

  fences({ clientId, request }: CallOf<'txnOffsetCommit'>): void {
    const fenced = this.of(this.fenced, clientId);
    for (const { partition } of request.partitions) fenced.add(partition);
  }

  /** Whose state is in a transaction, of that task a position must be: nothing else keeps one out who has lost it. */
  ends({ clientId, request }: CallOf<'endTxn'>): void {
    const fenced = this.of(this.fenced, clientId);
    const unfenced = [...this.of(this.changed, clientId)].filter((task) => !fenced.has(task));
    this.fenced.delete(clientId);
    this.changed.delete(clientId);
    if (request.commit && unfenced.length > 0) this.violated(`${clientId} commits state of task ${unfenced.join(', ')} without a position`);
  }

  private of(tasks: Map<string, Set<number>>, clientId: string): Set<number> {
    let found = tasks.get(clientId);
    if (found === undefined) tasks.set(clientId, (found = new Set()));
    return found;
  }

  /** Whoever has begun to write may only raise its own epoch: to take the id anew would end a transaction of its own, or its successor's. */
  initialises({ clientId, request }: CallOf<'initProducerId'>): void {
    // What was open before is aborted by it, or has been.
    this.fenced.delete(clientId);
    this.changed.delete(clientId);
    if (request.current === undefined && this.writers.has(clientId)) this.violated(`${clientId} takes its transactional id once more`);
  }

  checkPositions(): void {
    for (const { topic, partition, offset } of this.broker.group(APP)?.committed ?? []) {
      const name = `${topic}-${partition}`;
      const before = this.positions.get(name) ?? 0;
      if (offset < before) this.violated(`the position of ${name} went back from ${before} to ${offset}`);
      this.positions.set(name, offset);
    }
  }
}
