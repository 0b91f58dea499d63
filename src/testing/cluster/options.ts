import type { MillraceConfig } from '../../config';
import type { Duration } from '../../model/duration';
import type { KafkaRecord, Placement } from '../../model/record';
import type { Topic } from '../../model/topic';
import type { Topology } from '../../task/topology';
import type { CrashPoint } from './simulated-instance';

/** One row of input: made by `inputRow`, so that records and topic fit each other. */
export interface InputRow {
  readonly topic: Topic<unknown, unknown>;
  readonly marbles: string;
  readonly values: Readonly<Record<string, RecordOrRecords<unknown, unknown>>>;
}

/** What a symbol in a row of input stands for. */
export type RecordOrRecords<K, V> = KafkaRecord<K, V, Placement> | readonly KafkaRecord<K, V, Placement>[];

/** Of `testCluster`: what runs, and what happens to it when. */
export interface TestClusterOptions {
  readonly topology: Topology;
  /** Of every topic the topology reads or writes (default 1), or by topic name. */
  readonly partitions?: number | Readonly<Record<string, number>>;
  /**
   * A row for each instance, by name; a column is a frame, `-` one in which nothing happens, ` 10s ` as many as take that time, and other
   * spaces mean nothing. `^` starts it, and starts it again after it has ended, with the local state it
   * left. `!` closes it: it drains, commits and leaves. `x` kills it without a word to anybody. A letter of `crashes` lets it die when it
   * next comes to that point of a commit.
   */
  readonly instances: Readonly<Record<string, string>>;
  /** What the letters in the instances' rows stand for. */
  readonly crashes?: Readonly<Record<string, CrashPoint>>;
  /** What is written to topics, and when; not by a transaction. */
  readonly input?: readonly InputRow[];
  /**
   * ms of virtual time that a frame takes; default 1,000. The group misses who has died after 6,000 (`config.sessionTimeout`). Its open
   * transaction is aborted when it returns, else after 25,000 (`config.transactionTimeout`); until then nobody sees what is behind it.
   */
  readonly frame?: Duration;
  /** Draws latencies and whatever else is chance; default 1. The same seed gives the same run. */
  readonly seed?: number;
  /** Runs with this many seeds, from `seed` on, one after the other; default 1. */
  readonly runs?: number;
  /** Of the applications. */
  readonly config?: Partial<Omit<MillraceConfig, 'applicationId' | 'brokers' | 'cluster' | 'stateDirectory' | 'instanceId'>>;
}
