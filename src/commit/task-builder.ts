import type { CheckedConfig } from '../config';
import type { ClusterView } from '../kafka/cluster-view';
import { readLog } from '../kafka/log-reader';
import type { OffsetReader } from '../kafka/offsets';
import type { KafkaPort } from '../kafka/port';
import type { RestoreProgress } from '../model/restore-progress';
import type { OpenBytes } from '../state/open-bytes';
import { restoreStores, type Changelog } from '../state/restore';
import type { ReadRow } from '../state/restore-table';
import type { Slot } from '../state/slot';
import { openTaskStores, type TaskStores } from '../state/task-stores';
import { RecordDecoder } from '../task/record-decoder';
import type { StreamTask } from '../task/stream-task';
import type { TaskFactory } from './assignment-options';
import type { InputTopic } from './layout';
import { RestoreReport } from './restore-report';
import { positionsOf } from './standby-task';
import { tableRow } from './table-row';
import type { ChangelogIdentity } from './task-folders';
import { inputDeclaration, streamTask, taskParts, type TaskGround, type TaskParts } from './task-parts';
import { Turns } from './turns';

export interface TaskBuilderOptions extends TaskGround {
  readonly config: CheckedConfig;
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly offsets: OffsetReader;
  readonly openBytes: OpenBytes | undefined;
  readonly slot: Slot;
  /** `delete.retention.ms` of each changelog, those of tables too. */
  readonly tombstoneRetention: ReadonlyMap<string, number>;
  readonly restoring?: (progress: RestoreProgress) => void;
}

/** Tasks at once that have much to read: each gets its share of one connection to each broker. */
const RESTORES_AT_ONCE = 3;
/** Changelog offsets that are read in a moment. */
const LITTLE = 10_000;

/** Makes a task and what it stands on: stores in the instance's folder, cells, scope, outbox. One set a task, for as long as it is ours. */
export class TaskBuilder implements TaskFactory {
  private readonly parts = new WeakMap<TaskStores, TaskParts>();
  private readonly tasks = new WeakMap<TaskStores, StreamTask>();
  private readonly restoringTo = new WeakMap<TaskStores, number>();
  private readonly turns = new Turns(RESTORES_AT_ONCE);

  constructor(private readonly options: TaskBuilderOptions) {}

  async openStores(task: number): Promise<TaskStores> {
    const { layout, clock, config, openBytes, slot } = this.options;
    const parts = taskParts(layout, task, clock);
    const stores = await openTaskStores({
      shapes: layout.stores,
      partition: task,
      scope: parts.scope,
      clock,
      logger: config.logger,
      openBytes,
      directory: slot.taskDirectory(task),
      cacheBytes: config.cacheBytes,
      freeze: process.env['NODE_ENV'] === 'development',
    });
    this.parts.set(stores, parts);
    return stores;
  }

  async restore(task: number, stores: TaskStores, positions: ReadonlyMap<string, number>, cancelled: AbortSignal): Promise<boolean> {
    const { view, clock, config, port, restoring = () => undefined } = this.options;
    const changelogs = await this.changelogs(task, positions);
    if (changelogs.length === 0) return false;
    const { logger, metrics } = config;
    const ends = changelogs.reduce((sum, { end }) => sum + end, 0);
    // One that has little to read does not wait for others that have much.
    const done = ends - positionsOf(stores) > LITTLE ? await this.turns.take(cancelled) : undefined;
    this.restoringTo.set(stores, ends);
    try {
      cancelled.throwIfAborted();
      const { hasState, records } = await restoreStores({
        stores,
        clusterId: await view.clusterId(),
        changelogs,
        clock,
        logger,
        progress: new RestoreReport({ clock, logger, task, emit: restoring }).progress,
        read: (topic, partition, from, until, apply) =>
          readLog({ port, view, clock, logger }, { topic, partition, from, until, lane: 'restore', signal: cancelled, apply }),
      });
      if (records > 0) metrics.add('restore-records-total', records, { task: String(task) });
      return hasState;
    } finally {
      this.restoringTo.delete(stores);
      done?.();
    }
  }

  /** Who holds the task elsewhere is measured by it: what it is being brought to counts, not how far that has come. */
  positionOf(stores: TaskStores): number {
    return Math.max(positionsOf(stores), this.restoringTo.get(stores) ?? 0);
  }

  /** The same one for the same stores: they may have been a standby's in between. */
  createTask(task: number, stores: TaskStores): StreamTask {
    const made = this.tasks.get(stores) ?? streamTask(this.options, task, stores, this.parts.get(stores) as TaskParts);
    this.tasks.set(stores, made);
    return made;
  }

  /** See `CatchUp`. Never beyond what is stable: behind that end others have a transaction under way. */
  async catchUp(
    task: number,
    stores: TaskStores,
    cancelled: AbortSignal,
    applied: (records: number) => void,
  ): Promise<readonly Changelog[]> {
    const { view, clock, config, port, offsets, layout } = this.options;
    const { logger } = config;
    const tables = layout.stores.flatMap(({ name, sourceTopic }) => (sourceTopic === undefined ? [] : [layout.changelogOf(name)]));
    const known = await view.topics(tables);
    const fed = tables.filter((topic) => task < (known.get(topic)?.partitions ?? 0)).map((topic) => ({ topic, partition: task }));
    const committed = await offsets.committedOffsets(config.applicationId, fed);
    const positions = new Map(committed.map(({ topic, offset }) => [topic, Math.max(0, offset)]));
    const described = await this.changelogs(task, positions);
    const stable = await offsets.endOffsets(
      described.map(({ topic }) => ({ topic, partition: task })),
      true,
    );
    // What this instance itself has committed may not count as stable for a moment yet.
    const changelogs = described.map((changelog, at) => {
      if (changelog.rowOf !== undefined) return changelog;
      return { ...changelog, end: Math.max(stable[at]?.offset ?? 0, Math.min(stores.position(changelog.store), changelog.end)) };
    });
    const counted = new Map<string, number>();
    await restoreStores({
      stores,
      clusterId: await view.clusterId(),
      changelogs,
      clock,
      logger,
      progress: ({ store, records }) => {
        applied(records - (counted.get(store) ?? 0));
        counted.set(store, records);
      },
      // Not over the standbys' own lane, where requests wait for what is to be written: these never do.
      read: (topic, partition, from, until, apply) =>
        readLog({ port, view, clock, logger }, { topic, partition, from, until, lane: 'restore', signal: cancelled, apply }),
    });
    return changelogs;
  }

  /** What the stores of every task must agree with. */
  async changelogIdentities(): Promise<ReadonlyMap<string, ChangelogIdentity>> {
    const { layout, view, tombstoneRetention } = this.options;
    const topics = layout.stores.map(({ name }) => layout.changelogOf(name));
    const known = await view.topics(topics);
    return new Map(
      layout.stores.map(({ name }) => {
        const topic = layout.changelogOf(name);
        return [name, { topicId: known.get(topic)?.topicId ?? '', tombstoneRetentionMs: tombstoneRetention.get(topic) ?? Infinity }];
      }),
    );
  }

  /** Asked for after the committed offsets: what they stand for is below these high watermarks. */
  private async changelogs(task: number, positions: ReadonlyMap<string, number>): Promise<Changelog[]> {
    const { layout, view, offsets, tombstoneRetention } = this.options;
    const stores = layout.stores.map(({ name, sourceTopic }) => ({ store: name, topic: layout.changelogOf(name), sourceTopic }));
    const known = await view.topics(stores.map(({ topic }) => topic));
    const held = stores.filter(({ topic }) => task < (known.get(topic)?.partitions ?? 0));
    const partitions = held.map(({ topic }) => ({ topic, partition: task }));
    const ends = await offsets.endOffsets(partitions, false);
    const starts = await offsets.startOffsets(partitions);
    const empty = held.filter((_, at) => ends[at]?.offset === 0).map(({ store }) => store);
    await this.warnOfLateCopies(task, empty, positions);
    return held.map(({ store, topic, sourceTopic }, at): Changelog => {
      const isTable = sourceTopic !== undefined;
      return {
        store,
        topic,
        topicId: known.get(topic)?.topicId ?? '',
        logStart: starts[at]?.offset ?? 0,
        // Rows behind the committed position are still to be pushed.
        end: (isTable ? positions.get(topic) : ends[at]?.offset) ?? 0,
        tombstoneRetentionMs: tombstoneRetention.get(topic) ?? Infinity,
        ...(isTable && { rowOf: this.rowReader(topic, task) }),
      };
    });
  }

  /** A table that has got a changelog of its own after it had begun: no changelog has what was read before. */
  private async warnOfLateCopies(task: number, empty: readonly string[], positions: ReadonlyMap<string, number>): Promise<void> {
    const { layout, offsets, config } = this.options;
    const copies = layout.stores.flatMap(({ name, copyOf }) => (copyOf !== undefined && empty.includes(name) ? [copyOf] : []));
    if (copies.length === 0) return;
    const starts = await offsets.startOffsets(copies.map((topic) => ({ topic, partition: task })));
    copies.forEach((topic, at) => {
      const position = positions.get(topic) ?? 0;
      if (position <= (starts[at]?.offset ?? 0)) return;
      config.logger.warn(
        { table: topic, task, position },
        `the table of topic "${topic}" has a changelog of its own now, which is empty: it lacks the rows before offset ${position}; reset the application to read them again`,
      );
    });
  }

  /** Reads a table's topic as the task does, and passes over what it could not have taken. */
  private rowReader(topic: string, task: number): ReadRow {
    const { layout, clock } = this.options;
    const input = layout.inputs.find((each) => each.topic === topic) as InputTopic;
    const { maxFuture: _, ...declaration } = inputDeclaration(input, task, clock);
    const decoder = new RecordDecoder(declaration);
    return (reader) => tableRow(decoder, input.declaration.key, reader);
  }
}
