/** What `millrace` exports, and nothing else. Operators are also in `millrace/operators`; the test kit is in `millrace/testing`. */
export { millrace, memoryCluster, kafkaCluster } from './millrace';
export type { App, CloseOptions, RunOptions } from './app';
export { topologyModule, type TopologyModule, type TopologyModuleOptions } from './threads/topology-module';
export type { MillraceConfig } from './config';
export type { Cluster } from './model/cluster';
export type { Commit } from './commit/commit-event';
export type { Partition } from './commit/partition-streams';
export type { AppState } from './commit/app-state';
export type { Task, Topology } from './task/topology';

export { topic, internalTopic } from './codec/topic';
export { bytes, float64, int32, int64, string } from './codec/primitives';
export { json } from './codec/json';
export { nullable } from './codec/nullable';
export type { Codec, Codecs } from './model/codec';
export type { InternalTopic, Topic, TopicOptions } from './model/topic';
export type { Change, Table, TableOptions } from './model/table';

export { joinStore } from './state/join-definition';
export type { JoinDefinition, JoinStore, JoinStoreOptions, JoinWindows } from './model/join';
export { versionedStore } from './state/versioned-definition';
export type { VersionedDefinition, VersionedStore } from './model/versioned';
export { bufferStore } from './state/buffer-definition';
export type { BufferDefinition, BufferStore } from './model/buffer';
export { suppressStore } from './state/suppress-definition';
export { foreignKeyStore } from './state/foreign-key-definition';
export type { ForeignKeyDefinition, ForeignKeyStore } from './model/foreign-key';
export { timerStore } from './state/timer-definition';
export { keyValueStore, sessionStore, windowStore } from './state/definition';
export type { SuppressDefinition, SuppressStore, TimerDefinition, TimerStore } from './model/store-definition';
export type { KeyValueDefinition, KeyValueStore, StoreDefinition, WindowDefinition, WindowStore } from './model/store-definition';
export type { SessionDefinition, SessionStore } from './model/store-definition';

export {
  aggregateWithStore,
  branch,
  cogroupWithStore,
  countWithStore,
  deduplicate,
  filterTable,
  filterValues,
  grouped,
  groupTable,
  joinGlobalTable,
  joinStream,
  joinTable,
  joinTables,
  joinTablesByForeignKey,
  lookup,
  mapTable,
  mapValues,
  mapWithStore,
  processWithStore,
  reduceWithStore,
  selectKey,
  sessionize,
  suppress,
  to,
  toTable,
  windowBy,
  windowEvery,
  windowHopping,
  windowSliding,
  windowTumbling,
} from '../operators';
export type { LookupCache, LookupFetch, LookupOptions } from '../operators';
export type { JoinGrace, JoinKind, JoinOptions, LateJoinRecord, NoGrace } from '../operators';
export type { Merging, Retraction } from '../operators';
export type { Aggregation, AnyRecord, Emit, LateRecord, Project, Reduction, State, StepWithState, Windowing } from '../operators';
export type { Deduplication, FiredTimer, Processor, TimerOf } from '../operators';
export type { SuppressBounds, UntilTimeLimit, UntilWindowCloses } from '../operators';
export type { DerivedTableOptions, ForeignKeyJoin, GroupTableOptions, JoinTablesOptions } from '../operators';
export type { Cogrouping, Grouped, GroupedInSessions, GroupedInWindows } from '../operators';

export { calendarDays, calendarMonths, calendarWeeks, type CalendarOptions, type CalendarWeekOptions } from './time/calendar';
export { days, hours, minutes, seconds, type Duration } from './model/duration';
export type { CountWindows, InSession, SessionWindows, SlidingWindows } from './model/window';
export type { InWindows, TimeWindows, Window, WindowAssigner, Windowed, Windows } from './model/window';
export { KafkaRecord, type Placement } from './model/record';
export { Outgoing } from './model/outgoing';
export { restoreBar } from './observe/restore-bar';
export type { RestoredSoFar, RestoreProgress } from './model/restore-progress';

export { MillraceError } from './errors/millrace-error';
export { errorCodes, type ErrorCode } from './errors/codes';
export type { WorkerEnd, WorkerFailure, WorkerFailurePolicy, WorkerFailureVerdict } from './model/worker-failure';
export { deadLetter, type Failure, type Policy, type Verdict } from './model/policy';
export type { Logger } from './model/logger';
export type { MetricName, Metrics, MetricTags } from './model/metrics';
export type { Where } from './model/where';
