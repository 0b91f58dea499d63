import type { KafkaRecord } from '../../src/model/record';
import type { Window } from '../../src/model/window';
import type { LateRecord } from '../fold/options';

/** What `late` is given. @param eventTime by which the window had closed */
export function lateRecord<K, V>(record: KafkaRecord<K, V>, window: Window, eventTime: number): LateRecord<K, V> {
  return { record, window, streamTime: eventTime, watermark: eventTime, lateness: eventTime - record.timestamp };
}
