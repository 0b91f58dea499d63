import type { CheckedConfig } from '../config';
import type { AppState } from '../commit/app-state';
import type { InputsInOrder } from '../commit/caught-up';
import type { Commit } from '../commit/commit-event';
import type { MemberThread } from '../commit/member-thread';
import type { MetricName, MetricTags } from '../model/metrics';
import type { RestoreProgress } from '../model/restore-progress';
import type { SharedSlot } from '../state/shared-slot';
import type { EncodedOutput } from './encoded-output';
import type { PlainError } from './plain-error';
import type { Question } from './work-of-threads';

/** A configuration without what cannot cross to a thread. */
export type PlainConfig = Omit<CheckedConfig, 'cluster' | 'logger' | 'metrics' | 'onWorkerFailure' | 'onProcessingError'> & {
  readonly onProcessingError: 'fail' | 'skip';
};

/** What a worker thread is started with. */
export interface WorkerData {
  readonly config: PlainConfig;
  readonly module: { readonly url: string; readonly exportName: string | undefined };
  readonly slot: SharedSlot;
  readonly thread: MemberThread;
  /** Topics whose outputs somebody watches. */
  readonly watched: readonly string[];
  /** Somebody hears them. */
  readonly forward: { readonly logs: boolean; readonly metrics: boolean };
}

/** From the main thread to a worker. */
export type ToWorker =
  | { readonly type: 'watch'; readonly topics: readonly string[] }
  | { readonly type: 'close'; readonly within: number; readonly leaveGroup: boolean }
  | { readonly type: 'stop-application'; readonly reason: string }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type MetricAdded = readonly [name: MetricName, amount: number, tags: MetricTags];

/** From a worker to the main thread. */
export type FromWorker =
  | { readonly type: 'started'; readonly layout: InputsInOrder }
  /** Its id in the group, as soon as it changes. */
  | { readonly type: 'member'; readonly memberId: string }
  | { readonly type: 'state'; readonly state: AppState }
  | { readonly type: 'committed'; readonly commit: Commit; readonly outputs: readonly EncodedOutput[] }
  | { readonly type: 'restoring'; readonly progress: RestoreProgress }
  | { readonly type: 'log'; readonly level: LogLevel; readonly fields: Readonly<Record<string, unknown>>; readonly message: string }
  | { readonly type: 'metrics'; readonly added: readonly MetricAdded[] }
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  /** It has heard that it is to close. */
  | { readonly type: 'closing' }
  /** Its instance has ended; the thread is about to. */
  | { readonly type: 'ended'; readonly error: PlainError | undefined };
