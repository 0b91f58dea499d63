import type { OffsetToCommit } from '../kafka/port';
import type { KafkaRecord } from '../model/record';
import type { Assembly, Source } from './assembly';
import { InputBuffer, type InputDeclaration, type InputMark } from './input-buffer';
import type { InputWaiting } from './input-waiting';
import { passOverMarkers, type SourceWatermark } from './input-watermarks';
import { PlacementCheck } from './placement-check';
import type { Watermarks } from './watermarks';

type AnyRecord = KafkaRecord<unknown, unknown>;

export interface TaskInput {
  /** `sourceKey` of the handle it feeds. */
  readonly key: string;
  readonly declaration: InputDeclaration;
  /** True when a store is fed without a repartition between: the producer's partitioner matters. */
  readonly checkPlacement: boolean;
  readonly partitions: number;
  readonly internal: boolean;
  /** Of records with one timestamp a table's go first, so that a join finds the row. */
  readonly feedsTable: boolean;
  /** Inputs of the task that it meets, by `key`, and those that feed it through repartitions. */
  readonly meets: readonly string[];
  readonly fedBy: readonly string[];
}

/** One input partition of a task, with the handle of the present assembly that it feeds. */
export interface OpenInput extends TaskInput {
  buffer: InputBuffer;
  committed: number;
  source: Source | undefined;
  readonly placement: PlacementCheck | undefined;
  /** What its records move; undefined: none is kept, or markers move it. */
  readonly watermark: SourceWatermark | undefined;
}

/** The input partitions of one task: what is read next, and how far all have come. In order of topic name. */
export class TaskInputs {
  private readonly inputs: readonly OpenInput[];
  private readonly someMeet: boolean;

  constructor(
    inputs: readonly TaskInput[],
    private readonly onSkipped: () => void,
    private readonly waiting: InputWaiting,
    private readonly watermarks: Watermarks | undefined,
  ) {
    this.inputs = inputs.map((input) => ({
      ...input,
      buffer: this.bufferOf(input, 0),
      committed: -1,
      source: undefined,
      placement: input.checkPlacement ? new PlacementCheck(input.declaration, input.partitions) : undefined,
      watermark: watermarks?.source(input.key),
    }));
    this.someMeet = inputs.some(({ meets }) => meets.length > 0);
  }

  private bufferOf({ key, internal, declaration }: TaskInput, position: number): InputBuffer {
    const watch = this.watermarks?.watch(key) ?? (internal ? passOverMarkers : undefined);
    return new InputBuffer(declaration, position, this.onSkipped, watch);
  }

  /** Empty buffers at committed positions. */
  start(positions: ReadonlyMap<string, number>): void {
    for (const input of this.inputs) {
      input.committed = positions.get(input.declaration.topic) ?? 0;
      input.buffer = this.bufferOf(input, input.committed);
    }
  }

  connect(assembly: Assembly): void {
    for (const input of this.inputs) input.source = assembly.sources.get(input.key);
  }

  buffer(topic: string): InputBuffer | undefined {
    return this.inputs.find(({ declaration }) => declaration.topic === topic)?.buffer;
  }

  /** The one with the oldest head, of those that need not wait; one whose head cannot be read comes first. */
  next(): OpenInput | undefined {
    const { waiting, someMeet } = this;
    if (someMeet) waiting.ask(this.inputs);
    let least: OpenInput | undefined;
    let oldest: KafkaRecord<unknown, unknown> | undefined;
    for (const input of this.inputs) {
      const { head, failure } = input.buffer;
      if (failure !== undefined) return input;
      if (head === undefined || (oldest !== undefined && !goesBefore(input, head, least, oldest))) continue;
      if (someMeet && waiting.mustWait(input, this.inputs)) continue;
      least = input;
      oldest = head;
    }
    return least;
  }

  get hasNext(): boolean {
    if (this.someMeet) return this.next() !== undefined;
    return this.inputs.some(({ buffer }) => buffer.head !== undefined || buffer.failure !== undefined);
  }

  /** Monotonic: when something may be pushed though nothing comes; Infinity: nothing waits for time to pass. */
  get waitsUntil(): number {
    return this.waiting.until;
  }

  get isStarving(): boolean {
    return this.inputs.some(({ buffer }) => buffer.isStarving && !buffer.paused);
  }

  /** Infinity when there is no head. */
  get oldestTimestamp(): number {
    let least = Infinity;
    for (const { buffer } of this.inputs) if (buffer.head !== undefined && buffer.head.timestamp < least) least = buffer.head.timestamp;
    return least;
  }

  marks(): readonly InputMark[] {
    return this.inputs.map(({ buffer }) => buffer.mark());
  }

  rewind(marks: readonly InputMark[]): void {
    this.inputs.forEach((input, at) => {
      const mark = marks[at];
      if (mark !== undefined) input.buffer.rewind(mark);
    });
  }

  get hasMoved(): boolean {
    return this.inputs.some(({ buffer, committed }) => buffer.position !== committed);
  }

  /**
   * All positions, those too that did not move: without any a transaction of timers and closes has no fence. All carry the cells, because
   * another plan, before or after this one, may have fewer of these inputs, or others.
   */
  offsets(cells: string): OffsetToCommit[] {
    return this.inputs.map(({ declaration: { topic, partition }, buffer }) => ({
      topic,
      partition,
      offset: buffer.position,
      metadata: cells,
    }));
  }

  committed(offsets: readonly OffsetToCommit[]): void {
    for (const { topic, offset } of offsets) {
      const input = this.inputs.find(({ declaration }) => declaration.topic === topic);
      if (input === undefined) continue;
      input.committed = offset;
      input.buffer.release(offset);
    }
  }
}

function goesBefore(input: TaskInput, head: AnyRecord, least: TaskInput | undefined, oldest: AnyRecord): boolean {
  if (head.timestamp !== oldest.timestamp) return head.timestamp < oldest.timestamp;
  return input.feedsTable && least?.feedsTable === false;
}
