/** The files of results that Kafka Streams gave: ../../test/vectors/README.md says what the fields mean. */
import { readFileSync } from 'node:fs';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** The topology of a case; which other fields it has depends on the operator. */
export interface Job {
  readonly operator: string;
  readonly [field: string]: Json;
}

export interface InputRecord {
  readonly topic: string;
  readonly key: string | null;
  readonly value: Json;
  readonly timestamp: number;
}

export type InputStep = InputRecord | { readonly advanceWallClock: number };

export interface Row {
  readonly key: Json;
  readonly window?: { readonly start: number; readonly end: number };
  readonly value: Json;
  readonly timestamp?: number;
}

/** What is compared; fields that are missing are not. */
export interface Expected {
  readonly outputs?: readonly Row[];
  readonly outputsByInput?: readonly number[];
  readonly droppedRecords?: number;
  readonly store?: readonly Row[];
  readonly failsAtInput?: number;
  readonly failure?: string;
}

export interface Case extends Expected {
  readonly name: string;
  readonly why: string;
  readonly job: Job;
  readonly inputs: readonly InputStep[];
}

export interface KnownDefect extends Case {
  readonly defect: string;
  readonly byRule?: Expected;
}

export interface CaseFile {
  readonly family: string;
  readonly cases: readonly Case[];
  readonly knownDefects: readonly KnownDefect[];
}

export interface KeysFile {
  readonly family: 'keys';
  readonly murmur2: readonly {
    readonly hex: string;
    readonly text: string | null;
    readonly murmur2: number;
    readonly toPositive: number;
    readonly partitions: Readonly<Record<string, number>>;
  }[];
  readonly windowedKeys: readonly (WindowBounds & {
    readonly topicKeyHex: string;
    readonly storeKeyHexBySeq: Readonly<Record<string, string>>;
    readonly timeFirstHex: string;
    readonly indexHex: string;
    readonly partitionOf12: number;
  })[];
  readonly sessionKeys: readonly (WindowBounds & {
    readonly topicKeyHex: string;
    readonly storeKeyHex: string;
    readonly timeFirstHex: string;
  })[];
  readonly valueAndTimestamp: readonly { readonly timestamp: string; readonly valueHex: string; readonly hex: string }[];
}

/** Times are texts: some lie beyond 2^53. */
interface WindowBounds {
  readonly key: string;
  readonly start: string;
  readonly end: string;
}

export function readVectors(path: string): CaseFile | KeysFile {
  const parsed = JSON.parse(readFileSync(path, 'utf8')) as Partial<CaseFile> & Partial<Pick<KeysFile, 'windowedKeys'>>;
  if (typeof parsed.family !== 'string') throw new Error(`${path} is no file of vectors: it names no family`);
  if (parsed.family === 'keys' && Array.isArray(parsed.windowedKeys)) return parsed as unknown as KeysFile;
  if (!Array.isArray(parsed.cases)) throw new Error(`${path} is no file of vectors: it has no cases`);
  return { family: parsed.family, cases: parsed.cases, knownDefects: parsed.knownDefects ?? [] };
}

export function isKeysFile(file: CaseFile | KeysFile): file is KeysFile {
  return 'windowedKeys' in file;
}
