import { type Observable, Subject } from 'rxjs';
import type { KafkaRecord } from '../../src/model/record';
import { record } from '../../src/testing/record';
import type { InputStep, Json, Row } from './format';

export type JobRecord = KafkaRecord<string, Json>;

/** Input topics by name, and whatever comes out of the operators behind them. */
export class JobStreams {
  private readonly inputs: ReadonlyMap<string, Subject<JobRecord>>;
  private out: Row[] = [];
  private failure: { readonly error: unknown } | undefined;

  constructor(topics: readonly string[], assemble: (...sources: Observable<JobRecord>[]) => Observable<Row>) {
    this.inputs = new Map(topics.map((topic) => [topic, new Subject()]));
    assemble(...this.inputs.values()).subscribe({
      next: (row) => this.out.push(row),
      error: (error: unknown) => (this.failure = { error }),
    });
  }

  step(step: InputStep): readonly Row[] {
    // Wall clock moves nothing here: event time comes from records alone.
    if ('advanceWallClock' in step) return [];
    const input = this.inputs.get(step.topic);
    if (input === undefined) throw new Error(`the job does not read the topic ${step.topic}`);
    // A null key is typed as a key: that operators take it is what some cases are about.
    input.next(record(step.key as string, step.value, step.timestamp));
    if (this.failure !== undefined) throw this.failure.error;
    const rows = this.out;
    this.out = [];
    return rows;
  }
}

/** The one topic `input`. */
export class JobStream extends JobStreams {
  constructor(assemble: (source: Observable<JobRecord>) => Observable<Row>) {
    super(['input'], (source) => assemble(source));
  }
}
