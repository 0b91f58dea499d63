import { float64, int64, string } from '../../src/codec/primitives';
import { nullable } from '../../src/codec/nullable';
import type { Windowed } from '../../src/model/window';
import type { KafkaRecord } from '../../src/model/record';
import { keyValueStore, windowStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';

/** Ten ms long, open for five more. */
export const windows = { size: 10, grace: 5 };

export const numbers = keyValueStore('numbers', { key: string, value: float64 });
export const nullableNumbers = keyValueStore('nullable-numbers', { key: string, value: nullable(float64) });
export const windowedNumbers = windowStore('windowed-numbers', { key: string, value: int64, windows });

export const numberStore = () => memoryStore(numbers);
export const windowedStore = () => memoryStore(windowedNumbers);

/** The result for `key` in the window that starts at `start`. */
export function inWindow<V>(key: string, start: number, value: V, timestamp: number): KafkaRecord<Windowed<string>, V> {
  return record({ key, start, end: start + windows.size }, value, timestamp);
}
