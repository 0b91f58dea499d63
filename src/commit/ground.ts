import type { CheckedConfig } from '../config';
import type { ClusterView } from '../kafka/cluster-view';
import type { KafkaPort } from '../kafka/port';
import type { RestoreProgress } from '../model/restore-progress';
import type { Slot } from '../state/slot';
import type { Plan } from '../task/plan';
import type { TaskTopology } from '../task/topology';
import type { Adapters } from './adapters';
import type { Layout } from './layout';
import type { TaskGround } from './task-parts';
import type { WrittenTopics } from './written-topics';

/** What an instance is made from. */
export interface Ground {
  readonly config: CheckedConfig;
  readonly adapters: Adapters;
  readonly plan: Plan;
  readonly topology: TaskTopology;
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly layout: Layout;
  readonly slot: Slot;
  readonly written: WrittenTopics;
  readonly globalRows: TaskGround['globalRows'];
  readonly isWatched: (topic: string) => boolean;
  readonly restoring?: (progress: RestoreProgress) => void;
}
