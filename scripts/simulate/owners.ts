import type { MemoryBroker } from '../../src/memory/memory-broker';
import type { CallOf } from '../../src/memory/call';
import { APP } from './program';

/** Each process takes its transactional id once; no two members commit positions of one partition in one generation, and positions never go back. */
export class Owners {
  private readonly owners = new Map<string, string>();
  private readonly writers = new Set<string>();
  private readonly positions = new Map<string, number>();

  constructor(
    private readonly broker: MemoryBroker,
    private readonly violated: (what: string) => void,
  ) {}

  /** Asked as the broker is about to execute it. */
  commits({ request }: CallOf<'txnOffsetCommit'>): void {
    const group = this.broker.group(APP);
    if (group?.generationId !== request.generationId) return;
    if (!group.members.some(({ memberId }) => memberId === request.memberId)) return;
    for (const { topic, partition } of request.partitions) {
      const what = `${topic}-${partition} in generation ${request.generationId}`;
      const owner = this.owners.get(what) ?? request.memberId;
      if (owner !== request.memberId) this.violated(`${what} is committed by ${owner} and by ${request.memberId}`);
      this.owners.set(what, owner);
    }
  }

  adds({ clientId }: CallOf<'addPartitionsToTxn'>): void {
    this.writers.add(clientId);
  }

  /** Whoever has begun to write may only raise its own epoch: to take the id anew would end a transaction of its own, or its successor's. */
  initialises({ clientId, request }: CallOf<'initProducerId'>): void {
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
