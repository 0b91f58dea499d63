import type { CheckedConfig } from '../config';
import type { ClusterView } from '../kafka/cluster-view';
import { readLog } from '../kafka/log-reader';
import type { OffsetReader } from '../kafka/offsets';
import type { KafkaPort } from '../kafka/port';
import type { OpenBytes } from '../state/open-bytes';
import { restoreStores, type Changelog } from '../state/restore';
import type { Slot } from '../state/slot';
import { openTaskStores, type TaskStores } from '../state/task-stores';
import type { StreamTask } from '../task/stream-task';
import type { TaskFactory } from './assignment';
import { streamTask, taskParts, type TaskGround, type TaskParts } from './task-parts';

export interface TaskBuilderOptions extends TaskGround {
  readonly config: CheckedConfig;
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly offsets: OffsetReader;
  readonly openBytes: OpenBytes | undefined;
  readonly slot: Slot;
  /** `delete.retention.ms` of each changelog. */
  readonly tombstoneRetention: ReadonlyMap<string, number>;
}

/** Makes a task and what it stands on: stores in the instance's folder, cells, scope, outbox. One set a task, for as long as it is ours. */
export class TaskBuilder implements TaskFactory {
  private readonly parts = new WeakMap<TaskStores, TaskParts>();

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

  async restore(task: number, stores: TaskStores, cancelled: AbortSignal): Promise<boolean> {
    const { view, clock, config, port } = this.options;
    const changelogs = await this.changelogs(task);
    if (changelogs.length === 0) return false;
    const { logger, metrics } = config;
    const { hasState, records } = await restoreStores({
      stores,
      clusterId: await view.clusterId(),
      changelogs,
      clock,
      logger,
      read: (topic, partition, from, until, apply) =>
        readLog({ port, view, clock, logger }, { topic, partition, from, until, lane: 'restore', signal: cancelled, apply }),
    });
    if (records > 0) metrics.add('restore-records-total', records, { task: String(task) });
    return hasState;
  }

  createTask(task: number, stores: TaskStores): StreamTask {
    return streamTask(this.options, task, stores, this.parts.get(stores) as TaskParts);
  }

  /** Asked for after the committed offsets: what they stand for is below these high watermarks. */
  private async changelogs(task: number): Promise<Changelog[]> {
    const { layout, view, offsets, tombstoneRetention } = this.options;
    const stores = layout.stores.map(({ name }) => ({ store: name, topic: layout.changelogOf(name) }));
    const known = await view.topics(stores.map(({ topic }) => topic));
    const held = stores.filter(({ topic }) => task < (known.get(topic)?.partitions ?? 0));
    const partitions = held.map(({ topic }) => ({ topic, partition: task }));
    const ends = await offsets.endOffsets(partitions, false);
    const starts = await offsets.startOffsets(partitions);
    return held.map(({ store, topic }, at) => ({
      store,
      topic,
      topicId: known.get(topic)?.topicId ?? '',
      logStart: starts[at]?.offset ?? 0,
      highWatermark: ends[at]?.offset ?? 0,
      tombstoneRetentionMs: tombstoneRetention.get(topic) ?? Infinity,
    }));
  }
}
