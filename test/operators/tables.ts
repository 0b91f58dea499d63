import type { Observable } from 'rxjs';
import { toTable } from '../../operators';
import { float64, string } from '../../src/codec/primitives';
import type { KafkaRecord } from '../../src/model/record';
import type { Table } from '../../src/model/table';
import { keyValueStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';

/** What a table is fed with: a null deletes. */
export type NumberRow = KafkaRecord<string, number | null>;
export type TextRow = KafkaRecord<string, string | null>;

const numbers = keyValueStore('rows', { key: string, value: float64 });
const texts = keyValueStore('texts', { key: string, value: string });

export const numberTable = (source: Observable<NumberRow>): Table<string, number> => toTable(source, memoryStore(numbers));
export const textTable = (source: Observable<TextRow>): Table<string, string> => toTable(source, memoryStore(texts));

/** A change, as `updates` has it. */
export const update = <V>(key: string, before: V | undefined, after: V | undefined, timestamp: number): KafkaRecord<string, unknown> =>
  record<string, unknown>(key, { before, after }, timestamp);
