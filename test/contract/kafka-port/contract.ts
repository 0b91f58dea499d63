import type { KafkaPort } from '../../../src/kafka/port';

export const chapters = [
  'metadata',
  'produce and fetch',
  'isolation',
  'list offsets',
  'idempotence',
  'transactions',
  'fencing',
  'unknown EndTxn',
  'transactions of others',
  'offsets in transactions',
  'groups',
  'static members',
  'group offsets',
  'admin',
  'delete records',
  'compaction',
  'retention',
  're-creation',
] as const;

export type Chapter = (typeof chapters)[number];

/** An implementation of the port under test, with a broker of any age behind it. */
export interface KafkaPortContractOptions {
  readonly name: string;
  /** A new client with connections of its own; the suite closes it. */
  readonly connect: (clientId: string) => KafkaPort | Promise<KafkaPort>;
  /** Lets that many ms of the broker's time pass. */
  readonly pause: (ms: number) => Promise<void>;
  /** The broker's time, ms since the epoch. */
  readonly now: () => number;
  /** Has the broker compact and remove what it may; left out: it does so by itself, at the latest every 15 s. */
  readonly cleanUp?: () => void;
  /** Chapters that do not apply, each with the reason. */
  readonly skip?: Readonly<Partial<Record<Chapter, string>>>;
}
