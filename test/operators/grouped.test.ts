import { Subject } from 'rxjs';
import { cogroupWithStore, grouped } from '../../operators';
import type { KafkaRecord } from '../../src/model/record';
import { record } from '../../src/testing';
import { numberStore } from './stores';

describe('grouped', () => {
  it('subscribes to nothing by itself', () => {
    const source = new Subject<KafkaRecord<string, number>>();
    grouped(source, (sum: number, value) => sum + value);
    expect(source.observed).toBe(false);
  });

  it('hands the function aggregate, value and record', () => {
    const source = new Subject<KafkaRecord<string, string>>();
    const seen: unknown[] = [];
    const lengths = grouped(source, (sum: number, value, whole) => {
      seen.push(sum, value, whole);
      return sum + value.length;
    });
    cogroupWithStore(numberStore(), { initial: () => 7, of: [lengths] }).subscribe();
    const first = record('k', 'three', 5);
    source.next(first);
    expect(seen).toEqual([7, 'three', first]);
  });
});
