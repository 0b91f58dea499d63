import type { KafkaRecord } from '../../src/model/record';
import type { Topic } from '../../src/model/topic';
import type { MillraceConfig } from '../../src/config';
import type { Topology } from '../../src/task/topology';
import type { Chance } from './chance';
import type { LogRecord } from './log';

export type Text = KafkaRecord<string, string>;

/** What has been committed to a topic, partition by partition. */
export type Logs = (topic: string) => readonly (readonly LogRecord[])[];

export interface Round {
  readonly chance: Chance;
  /** From 0. */
  readonly number: number;
  /** Of the wall clock, ms. */
  readonly now: number;
  /** The topic loses what it holds now: another program's retention. */
  readonly truncate: (topic: Topic<string, string>) => void;
  readonly write: (topic: Topic<string, string>, records: readonly Text[]) => void;
}

/** A program that is simulated, its input, and what must come of it. */
export interface Program {
  readonly name: string;
  /** Topics with as many partitions as there are tasks. */
  readonly inputs: readonly string[];
  /** Topics with partitions of their own number. */
  readonly others: Readonly<Record<string, number>>;
  readonly topology: Topology;
  /** What is deployed in the middle of the run, instance by instance. */
  readonly next?: Topology;
  readonly config?: Partial<MillraceConfig>;
  /** Where a store may be restored from besides its own changelog. */
  readonly sources?: Readonly<Record<string, readonly string[]>>;
  /** ms after the last fault in which what hangs may still hang, for programs that read outside their commits. */
  readonly hangs?: number;
  /** Some input. */
  round(round: Round): void;
  /** After the last round, when no faults come any more, one after the other: bring out what still waits, and ask for every state. */
  readonly last: readonly ((round: Round) => void)[];
  /** What is not as it must be. */
  differences(logs: Logs, partitions: number): string[];
}

export const APP = 'app';
export const KEYS = ['ant', 'bee', 'cat', 'dog', 'elk', 'fox', 'gnu'];

export const textOf = (bytes: Buffer | null): string => (bytes === null ? '(null)' : bytes.toString('utf8'));
export const int64Of = (bytes: Buffer | null): number => (bytes === null ? NaN : Number(bytes.readBigInt64BE(bytes.length - 8)));

export function changelog(store: string): string {
  return `${APP}-${store}-changelog`;
}

/** The last value of each key. */
export function latest(records: readonly LogRecord[]): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const { key, value } of records) {
    if (key === null) continue;
    if (value === null) found.delete(key.toString('latin1'));
    else found.set(key.toString('latin1'), value);
  }
  return found;
}

export function add(counts: Map<string, number>, key: string, amount = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + amount);
}

/** What two countings disagree about. */
export function compared(what: string, expected: ReadonlyMap<string, unknown>, found: ReadonlyMap<string, unknown>): string[] {
  const keys = new Set([...expected.keys(), ...found.keys()]);
  return [...keys]
    .sort()
    .filter((key) => JSON.stringify(expected.get(key)) !== JSON.stringify(found.get(key)))
    .map((key) => `${what}: ${key} is ${JSON.stringify(found.get(key))}, not ${JSON.stringify(expected.get(key))}`);
}
