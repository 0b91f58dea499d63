/** What the run and its processes say to each other. */
import type { Step } from './schedule';

/** One life of an instance: `node worker.js <JSON of this>`. Times are ms. */
export interface Life {
  readonly application: string;
  /** The addresses of this instance's proxies. */
  readonly brokers: readonly string[];
  readonly stateDirectory: string;
  readonly instanceId: string | undefined;
  /** JSON lines, one life after the other. */
  readonly logFile: string;
  readonly sessionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly transactionTimeoutMs: number;
  readonly standbyReplicas: number;
  /** With more than one the functions of the job are out of reach: it has no steps, no slow records, no clock of its own. */
  readonly threads: number;
  /** For closing, after SIGTERM. */
  readonly closeWithinMs: number;
}

export type Order =
  /** At the nth time of this step from now on: kill itself, or stop until SIGCONT. */
  | { readonly kind: 'atStep'; readonly step: Step; readonly nth: number; readonly signal: 'SIGKILL' | 'SIGSTOP' }
  /** Forget about that. */
  | { readonly kind: 'noStep' }
  /** The next record takes so long, and nothing else happens meanwhile. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** From the next write on nothing can be written to local state for so long. */
  | { readonly kind: 'full'; readonly ms: number }
  | { readonly kind: 'jump'; readonly ms: number };

export type Report =
  | { readonly kind: 'state'; readonly state: string }
  /** A generation of the group that this member has joined. */
  | { readonly kind: 'generation'; readonly generation: number }
  | { readonly kind: 'wasSlow' }
  | { readonly kind: 'wasFull' }
  | { readonly kind: 'jumped' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/**
 * To the writer: write what is still waiting, and nothing more; then, when all of that has been worked on, the records that end event time.
 * Were they written at once, one side's end could be read before the other side's last records, and those would be late.
 */
export type WriterOrder = 'drain' | 'end';

/** How many records of each topic were written, each acknowledged: their values hold the numbers from 0. */
export interface WriterReport {
  readonly written: Readonly<Record<string, number>>;
  /** Sends that were refused or unanswered and were repeated. */
  readonly repeated: number;
  readonly phase: 'writing' | 'drained' | 'ended';
}
