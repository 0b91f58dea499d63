import type { EventTime } from '../../src/state/event-time';

/** Where the input that is furthest behind has come. */
export function earliestOf(inputs: readonly EventTime[]): Pick<EventTime, 'value'> {
  return inputs.length === 1 ? inputs[0]! : new EarliestTime(inputs);
}

class EarliestTime implements Pick<EventTime, 'value'> {
  constructor(private readonly inputs: readonly EventTime[]) {}

  get value(): number {
    let earliest = Infinity;
    for (const { value } of this.inputs) if (value < earliest) earliest = value;
    return earliest;
  }
}
