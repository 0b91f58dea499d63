import type { CheckedConfig } from '../config';
import type { ClusterView } from '../kafka/cluster-view';
import { readLog } from '../kafka/log-reader';
import type { OffsetReader } from '../kafka/offsets';
import type { KafkaPort } from '../kafka/port';
import type { Topic } from '../model/topic';
import { CellTable } from '../state/cells';
import type { OpenBytes } from '../state/open-bytes';
import { restoreStores, type Changelog } from '../state/restore';
import type { Slot } from '../state/slot';
import { openTaskStores, type TaskStores } from '../state/task-stores';
import { Outbox, type OutboxTopic } from '../task/outbox';
import { TaskScope } from '../task/scope';
import { StreamTask } from '../task/stream-task';
import type { TaskInput } from '../task/task-inputs';
import type { TaskTopology } from '../task/topology';
import type { Clock } from '../time/clock';
import type { TaskFactory } from './assignment';
import type { InputTopic, Layout } from './layout';

export interface TaskBuilderOptions {
  readonly config: CheckedConfig;
  readonly layout: Layout;
  readonly topology: TaskTopology;
  readonly clock: Clock;
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly offsets: OffsetReader;
  readonly openBytes: OpenBytes | undefined;
  readonly slot: Slot;
  readonly isWatched: (topic: string) => boolean;
  readonly wake: () => void;
  /** Topics that are written, by name. */
  readonly written: ReadonlyMap<string, OutboxTopic>;
  /** `delete.retention.ms` of each changelog. */
  readonly tombstoneRetention: ReadonlyMap<string, number>;
}

interface Parts {
  readonly scope: TaskScope;
  readonly cells: CellTable;
}

/** Makes a task and what it stands on: stores in the instance's folder, cells, scope, outbox. One set a task, for as long as it is ours. */
export class TaskBuilder implements TaskFactory {
  private readonly parts = new WeakMap<TaskStores, Parts>();

  constructor(private readonly options: TaskBuilderOptions) {}

  async openStores(task: number): Promise<TaskStores> {
    const { layout, clock, config, openBytes, slot } = this.options;
    const cells = new CellTable(layout.stores.map(({ name }) => name));
    const scope = new TaskScope(task, cells, () => {
      scope.counter('skipped-records-total', 'onProcessingError').value++;
    });
    const stores = await openTaskStores({
      shapes: layout.stores,
      partition: task,
      scope,
      clock,
      logger: config.logger,
      openBytes,
      directory: slot.taskDirectory(task),
      cacheBytes: config.cacheBytes,
      freeze: process.env['NODE_ENV'] === 'development',
    });
    this.parts.set(stores, { scope, cells });
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
    const { layout, topology, clock, config, wake, isWatched, written } = this.options;
    const { scope, cells } = this.parts.get(stores) as Parts;
    const topicNamed = (name: string): OutboxTopic => written.get(name) as OutboxTopic;
    return new StreamTask({
      partition: task,
      topology,
      inputs: layout.inputs.filter(({ partitions }) => task < partitions).map((input) => taskInput(input, task)),
      stores,
      cells,
      scope,
      outbox: new Outbox(topicNamed, isWatched, task, config.compression),
      changelogOf: layout.changelogOf,
      repartitionOf: layout.repartitionOf,
      clock,
      logger: config.logger,
      strict: config.strict,
      onProcessingError: config.onProcessingError,
      wake,
    });
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

function taskInput(input: InputTopic, partition: number): TaskInput {
  const { key, value } = input.declaration;
  const options = input.internal ? {} : (input.declaration as Topic<unknown, unknown>).options;
  return {
    key: input.key,
    partitions: input.partitions,
    checkPlacement: input.feedsStore,
    declaration: {
      topic: input.topic,
      partition,
      key,
      value,
      keyless: !input.internal && (input.declaration as Topic<unknown, unknown>).keyless,
      timestamp: options.timestamp,
      onDecodeError: options.onDecodeError ?? 'fail',
    },
  };
}
