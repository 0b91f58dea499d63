import type { GroupView } from '../../src/memory/inspection';
import type { MemoryBroker } from '../../src/memory/memory-broker';
import type { Clock } from '../../src/time/clock';
import { APP, type Program } from './program';

interface LogEnd {
  readonly topic: string;
  readonly partition: number;
  readonly end: number;
}

/** ms between two looks at where logs end. */
const SEEN_EVERY = 1_000;

/** What living instances have left to do. */
export class Progress {
  private seenAt = -Infinity;
  /** Where logs ended when it was looked last, and at the look before. */
  private seen = new Map<string, LogEnd>();
  private ends = new Map<string, LogEnd>();

  constructor(
    private readonly broker: MemoryBroker,
    private readonly clock: Clock,
    private readonly program: Program,
    private readonly partitions: number,
  ) {}

  /** In words; undefined: nothing. @param alive names of instances */
  undone(alive: readonly string[]): string | undefined {
    const group = this.broker.group(APP);
    // A static member is shown with the client id of the first of its processes.
    const members = (group?.members ?? []).map(({ clientId }) => clientId.split('.')[0]!).sort();
    if (group?.state !== 'stable' || members.join() !== [...alive].sort().join()) {
      return `the group is ${group?.state ?? 'empty'} with ${members.join()}`;
    }
    const behind = this.behind(group.committed);
    if (this.clock.monotonic() >= this.seenAt + SEEN_EVERY) this.see();
    return behind;
  }

  /** Of inputs everything must be committed, of repartitions what was there a moment ago: tasks that are idle say so again and again. */
  private behind(committed: GroupView['committed']): string | undefined {
    for (const [name, { topic, partition, end }] of this.ends) {
      const there = this.program.inputs.includes(topic) ? (this.broker.partition({ topic, partition })?.highWatermark ?? 0) : end;
      const offset = committed.find((at) => at.topic === topic && at.partition === partition)?.offset ?? 0;
      if (offset < there) return `${name} is committed up to ${offset} of ${there}`;
    }
    return this.ends.size > 0 ? undefined : 'nobody has looked yet';
  }

  private see(): void {
    this.seenAt = this.clock.monotonic();
    this.ends = this.seen;
    this.seen = new Map();
    for (const topic of this.broker.topics()) {
      if (!this.program.inputs.includes(topic) && !topic.endsWith('-repartition')) continue;
      for (let partition = 0; partition < this.partitions; partition++) {
        const end = this.broker.partition({ topic, partition })?.highWatermark;
        if (end !== undefined) this.seen.set(`${topic}-${partition}`, { topic, partition, end });
      }
    }
  }
}
