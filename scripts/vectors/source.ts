import { type Observable, Subject } from 'rxjs';
import type { KafkaRecord } from '../../src/model/record';
import { record } from '../../src/testing/record';
import type { InputStep, Json, Row } from './format';

export type JobRecord = KafkaRecord<string, Json>;

/** One input topic, and whatever comes out of the operators behind it. */
export class JobStream {
  private readonly input = new Subject<JobRecord>();
  private out: Row[] = [];
  private failure: { readonly error: unknown } | undefined;

  constructor(assemble: (source: Observable<JobRecord>) => Observable<Row>) {
    assemble(this.input).subscribe({
      next: (row) => this.out.push(row),
      error: (error: unknown) => (this.failure = { error }),
    });
  }

  step(step: InputStep): readonly Row[] {
    // Wall clock moves nothing here: event time comes from records alone.
    if ('advanceWallClock' in step) return [];
    // A null key is typed as a key: that operators take it is what some cases are about.
    this.input.next(record(step.key as string, step.value, step.timestamp));
    if (this.failure !== undefined) throw this.failure.error;
    const rows = this.out;
    this.out = [];
    return rows;
  }
}
