import type { OperatorFunction } from 'rxjs';
import type { KafkaRecord } from '../../src/model/record';
import type { InSession, SessionWindows } from '../../src/model/window';
import { mapInputs } from '../operator';
import { assignedBy, checkedTime } from '../windowed/assign-windows';

/** Puts each record on its way into a session. `windows` has been checked. */
export function assignSessions<K, V>(operator: string, windows: SessionWindows): OperatorFunction<KafkaRecord<K, V>, InSession<K, V>> {
  const assign = mapInputs<KafkaRecord<K, V>, InSession<K, V>>(operator, (record) => {
    checkedTime(record.timestamp);
    return new RecordInSession(record, windows);
  });
  return (source) => assignedBy(windows, assign(source));
}

class RecordInSession<K, V> implements InSession<K, V> {
  readonly record: KafkaRecord<K, V>;
  readonly by: SessionWindows;

  constructor(record: KafkaRecord<K, V>, by: SessionWindows) {
    this.record = record;
    this.by = by;
  }
}
