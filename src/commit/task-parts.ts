import type { CheckedConfig } from '../config';
import type { Duration } from '../model/duration';
import type { Topic } from '../model/topic';
import { CellTable } from '../state/cells';
import type { GlobalRows } from '../state/global-rows';
import type { TaskStores } from '../state/task-stores';
import { Outbox, type OutboxTopic } from '../task/outbox';
import { TaskScope } from '../task/scope';
import { StreamTask } from '../task/stream-task';
import { Watermarks } from '../task/watermarks';
import type { InputDeclaration } from '../task/input-buffer';
import type { TaskInput } from '../task/task-inputs';
import type { TaskTopology } from '../task/topology';
import type { Clock } from '../time/clock';
import type { InputTopic, Layout } from './layout';

/** What a task stands on besides its stores: one set a task, for as long as it is ours. */
export interface TaskParts {
  readonly scope: TaskScope;
  readonly cells: CellTable;
  /** Undefined: no topic is in watermark mode. */
  readonly watermarks: Watermarks | undefined;
}

/** What all tasks of an instance have in common. */
export interface TaskGround {
  readonly config: Pick<CheckedConfig, 'compression' | 'logger' | 'strict' | 'onProcessingError'>;
  readonly layout: Layout;
  readonly topology: TaskTopology;
  readonly clock: Clock;
  readonly isWatched: (topic: string) => boolean;
  readonly wake: () => void;
  /** ms; default -1: inputs that meet never wait for each other. */
  readonly maxTaskIdle?: Duration;
  /** Topics that are written, by name. */
  readonly written: ReadonlyMap<string, OutboxTopic>;
  /** The rows of a global table. */
  readonly globalRows: (topic: string) => Pick<GlobalRows, 'find'>;
}

export function taskParts(layout: Layout, task: number, clock: Clock): TaskParts {
  const cells = new CellTable(layout.stores.map(({ name }) => name));
  const scope = new TaskScope(task, cells, () => {
    scope.counter('skipped-records-total', 'onProcessingError').value++;
  });
  if (layout.watermarks === undefined) return { scope, cells, watermarks: undefined };
  const present = new Set(layout.inputs.flatMap(({ key, partitions }) => (task < partitions ? [key] : [])));
  const watermarks = new Watermarks({ plan: layout.watermarks, task, present, cells, clock, steps: scope.steps });
  scope.watermarks = watermarks;
  return { scope, cells, watermarks };
}

export function streamTask(ground: TaskGround, task: number, stores: TaskStores, { scope, cells, watermarks }: TaskParts): StreamTask {
  const { layout, topology, clock, config, wake, isWatched, written } = ground;
  const topicNamed = (name: string): OutboxTopic => written.get(name) as OutboxTopic;
  return new StreamTask({
    partition: task,
    topology,
    inputs: layout.inputs.filter(({ partitions }) => task < partitions).map((input) => taskInput(input, task, clock)),
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
    maxTaskIdle: ground.maxTaskIdle ?? -1,
    watermarks,
    globalRows: ground.globalRows,
    wake,
  });
}

function taskInput(input: InputTopic, partition: number, clock: Clock): TaskInput {
  return {
    key: input.key,
    partitions: input.partitions,
    internal: input.internal,
    feedsTable: input.feedsTable,
    meets: input.meets,
    fedBy: input.fedBy,
    checkPlacement: input.feedsStore,
    declaration: inputDeclaration(input, partition, clock),
  };
}

/** How the records of one input partition are read. */
export function inputDeclaration(input: InputTopic, partition: number, clock: Clock): InputDeclaration {
  const { key, value } = input.declaration;
  const options = input.internal ? {} : (input.declaration as Topic<unknown, unknown>).options;
  return {
    topic: input.topic,
    partition,
    key,
    value,
    keyless: !input.internal && (input.declaration as Topic<unknown, unknown>).keyless,
    feedsTable: input.feedsTable,
    timestamp: options.timestamp,
    maxFuture: options.maxFuture === undefined ? undefined : { ms: options.maxFuture, now: () => clock.now() },
    onDecodeError: options.onDecodeError ?? 'fail',
  };
}
