import { Fetcher } from '../kafka/fetcher';
import type { OffsetReader } from '../kafka/offsets';
import type { Ground } from './ground';
import { Standbys } from './standbys';
import { TaskBuilder } from './task-builder';
import { TaskFolders } from './task-folders';

/** Of one changelog that is followed: what is applied in one go. */
const TAIL_BYTES = 256 * 1024;

export interface LocalTasksTies {
  readonly offsets: OffsetReader;
  /** A task has something to do. */
  readonly wake: () => void;
  readonly joinAnew: () => void;
  /** Called about once a second. */
  readonly looked: () => void;
}

/** What makes tasks, the folders they lie in, and those that are followed. */
export class LocalTasks {
  readonly builder: TaskBuilder;
  readonly folders: TaskFolders;
  readonly standbys: Standbys;

  constructor(ground: Ground, { offsets, wake, joinAnew, looked }: LocalTasksTies) {
    const { slot, adapters, layout, port, view, config, written } = ground;
    const { clock, openBytes } = adapters;
    const { applicationId: groupId, logger, metrics, acceptableLag, probingInterval: probingIntervalMs, maxTaskIdle } = config;
    const builder = new TaskBuilder({ ...ground, ...written, clock, offsets, openBytes, wake, maxTaskIdle });
    const folders = new TaskFolders({
      ...{ slot, openBytes, clock, logger },
      tasks: layout.tasks,
      openStores: (task) => builder.openStores(task),
      clusterId: () => view.clusterId(),
      changelogs: () => builder.changelogIdentities(),
    });
    this.builder = builder;
    this.folders = folders;
    this.standbys = new Standbys({
      ...{ groupId, folders, offsets, clock, logger, metrics, acceptableLag, probingIntervalMs, joinAnew, looked },
      fetcher: new Fetcher({ port, view, clock, logger, lane: 'standby', readCommitted: true, maxBytesPerPartition: TAIL_BYTES }),
      catchUp: (task, stores, cancelled, applied) => builder.catchUp(task, stores, cancelled, applied),
    });
  }
}
