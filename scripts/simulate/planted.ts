import type { SourcePatch } from '../source-copy';

/** A mistake that somebody could make, and that the simulation must find. */
export interface PlantedMistake {
  readonly name: string;
  readonly patches: readonly SourcePatch[];
}

const COMMIT = 'src/commit/commit.ts';
const COMPOSITION = 'src/commit/composition.ts';
const BUILDER = 'src/commit/task-builder.ts';
const TRANSACTION = 'src/kafka/transaction.ts';
const STEPS = 'src/kafka/transaction-steps.ts';
const PRODUCER = 'src/kafka/producer.ts';
const DECODE = 'src/kafka/batch-decode.ts';
const LAYERS = 'src/state/layers.ts';
const ENTRIES = 'src/state/layered-store.ts';
const TASK = 'src/task/stream-task.ts';
const TAIL = 'src/commit/changelog-tail.ts';
const ASSIGNMENT = 'src/commit/assignment.ts';
const DEPARTED = 'src/kafka/departed-producers.ts';

export const plantedMistakes: readonly PlantedMistake[] = [
  {
    name: 'commit before flush',
    patches: [
      {
        file: TRANSACTION,
        text: 'await Promise.all([this.#steps.write(open), this.#steps.commitOffsets(open)]);',
        becomes: 'void this.#steps.write(open); await this.#steps.commitOffsets(open);',
      },
    ],
  },
  {
    name: 'skip the fence',
    patches: [
      {
        file: STEPS,
        text: 'coordinator.commitOffsets(open.attempts, open.identity, member, offsets)',
        becomes:
          "coordinator.commitOffsets(open.attempts, open.identity, { ...member, memberId: '', generationId: -1, groupInstanceId: null }, offsets)",
      },
    ],
  },
  {
    name: 'LevelDB before EndTxn',
    patches: [
      {
        file: COMMIT,
        text: 'const outcome = await producer.commit({',
        becomes: `for (const { owned } of contributions) {
          owned.stores?.committed(new Map());
          void owned.stores?.flush().catch(() => undefined);
        }
        const outcome = await producer.commit({`,
      },
    ],
  },
  {
    name: 'forget aborted data',
    patches: [
      { file: DECODE, text: 'if (!isControl) return this.abortedProducers.has(producerId);', becomes: 'if (!isControl) return false;' },
    ],
  },
  {
    name: 'sequences rolled back without a new epoch',
    patches: [
      {
        file: TRANSACTION,
        text: `    const fenced = await this.#renewEpoch();
    if (fenced !== undefined) return { kind: 'fenced', reason: fenced };
    return failure.kind === 'refused' ? failure`,
        becomes: `    this.#producer.rollBack();
    this.#enter('READY');
    return failure.kind === 'refused' ? failure`,
      },
      {
        file: PRODUCER,
        text: '  #identity: ProducerIdentity | undefined;',
        becomes: `  #identity: ProducerIdentity | undefined;
  #before = new Map<string, number>();

  rollBack(): void {
    for (const [key, sequence] of this.#sequences) sequence.next = this.#before.get(key) ?? 0;
  }`,
      },
      {
        file: PRODUCER,
        text: '    const queues = new Map<string, PartitionQueue<S>>();',
        becomes: `    this.#before = new Map([...this.#sequences].map(([key, { next }]) => [key, next]));
    const queues = new Map<string, PartitionQueue<S>>();`,
      },
    ],
  },
  {
    name: 'offset commit skipped when offsets are unchanged',
    patches: [
      {
        file: COMMIT,
        text: 'private abortsInARow = 0;',
        becomes: 'private abortsInARow = 0; private readonly sent = new Map<string, number>();',
      },
      {
        file: COMMIT,
        text: 'offsets: contributions.flatMap(({ sealed }) => sealed.offsets),',
        becomes: `offsets: contributions
          .flatMap(({ sealed }) => sealed.offsets)
          .filter(({ topic, partition, offset }) => this.sent.get(topic + partition) !== offset),`,
      },
      {
        file: COMMIT,
        text: '      sealed.task.committed(sealed, changelogs);',
        becomes: `      sealed.task.committed(sealed, changelogs);
      for (const { topic, partition, offset } of sealed.offsets) this.sent.set(topic + partition, offset);`,
      },
      { file: TRANSACTION, text: 'if (transaction.offsets.length === 0) {', becomes: 'if (transaction.offsets.length < 0) {' },
      {
        file: STEPS,
        text: "      onStep('adding offsets');",
        becomes: "      if (open.transaction.offsets.length === 0) return undefined;\n      onStep('adding offsets');",
      },
    ],
  },
  {
    name: 'tables restored to the high watermark',
    patches: [
      { file: BUILDER, text: 'end: (isTable ? positions.get(topic) : ends[at]?.offset) ?? 0', becomes: 'end: ends[at]?.offset ?? 0' },
    ],
  },
  {
    name: 'one of two layers dropped',
    patches: [
      { file: LAYERS, text: 'const undone = [this.sealed?.entries ?? [], this.active];', becomes: 'const undone = [this.active];' },
    ],
  },
  {
    name: 'cache filled from the sealed layer',
    patches: [
      {
        file: LAYERS,
        text: '    this.sealed = prepared;\n',
        becomes: `    this.sealed = prepared;
    prepared.entries.forEach((entry, at) => (entry.committed = prepared.versions[at] ?? entry.committed));
`,
      },
    ],
  },
  {
    name: 'scan without pinned layers',
    patches: [
      {
        file: ENTRIES,
        text: 'new EntryCursor<K, A>(source, pinned, disk)',
        becomes: 'new EntryCursor<K, A>(source, disk === undefined ? pinned : { peek: () => undefined, take: () => undefined }, disk)',
      },
    ],
  },
  {
    name: 'InitProducerId at each assignment',
    patches: [
      { file: TRANSACTION, text: "this.#expect('UNINITIALISED');", becomes: '' },
      {
        file: COMPOSITION,
        text: 'if (this.needsRecovery) await (this.recovering ??= this.recoverOnce());',
        becomes: `if (this.needsRecovery) await (this.recovering ??= this.recoverOnce());
    else await this.producer.initialise().catch(() => undefined);`,
      },
    ],
  },
  {
    name: 'a standby applies what is not committed',
    patches: [
      {
        file: TAIL,
        text: 'from: Math.max(chunk.from, this.position), readCommitted: true });',
        becomes: 'from: Math.max(chunk.from, this.position), readCommitted: false });',
      },
    ],
  },
  {
    name: 'a copy that is handed over is taken for whole',
    patches: [
      {
        file: ASSIGNMENT,
        text: 'stores ??= await source.open(owned.number);',
        becomes: 'Object.assign(owned, { isHandedOver: stores !== undefined }); stores ??= await source.open(owned.number);',
      },
      {
        file: ASSIGNMENT,
        text: 'const hasState = await factory.restore(',
        becomes: "const hasState = Reflect.get(owned, 'isHandedOver') === true ? false : await factory.restore(",
      },
    ],
  },
  {
    name: 'the leader takes the ids of the departed',
    patches: [
      {
        file: DEPARTED,
        text: 'transactionTimeoutMs: timeoutMs, current: { producerId, producerEpoch } };',
        becomes: 'transactionTimeoutMs: timeoutMs };',
      },
    ],
  },
  {
    name: 'stream time only in LevelDB',
    patches: [{ file: TASK, text: 'options.cells.restore(cells);', becomes: "options.cells.restore('');" }],
  },
];
