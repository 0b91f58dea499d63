import type { Subscriber } from 'rxjs';
import { toBytes } from '../../src/codec/utf8';
import type { Codec } from '../../src/model/codec';
import type { KafkaRecord } from '../../src/model/record';
import type { Change } from '../../src/model/table';
import type { TableRuntime } from '../../src/state/table';
import type { Receiver } from '../operator';
import { type Answer, equalHashes, hashOf } from './messages';

/** undefined: no joined row. */
export type JoinWithForeign<L, R, J> = (row: L, foreign: R | undefined) => J | undefined;

export interface AnswerOptions<L, R, F, J> {
  readonly value: Codec<L>;
  readonly foreignKeyCodec: Codec<F>;
  readonly foreignKey: (row: L) => F | null | undefined;
  readonly join: JoinWithForeign<L, R, J>;
  readonly isLeft: boolean;
}

/** Answers come in: those to a row as it was are passed over, for it has asked again since. */
export class JoinAnswers<K, L, R, F, J> implements Receiver<KafkaRecord<K, Answer<R>>> {
  constructor(
    private readonly rows: TableRuntime<K, L>,
    private readonly options: AnswerOptions<L, R, F, J>,
    private readonly destination: Subscriber<KafkaRecord<K, Change<J>>>,
  ) {}

  receive(record: KafkaRecord<K, Answer<R>>): void {
    const { value, join } = this.options;
    const { hash, row, missing } = record.value;
    const asking = this.rows.find(record.key)?.value;
    if (asking === undefined) return;
    if (!equalHashes(hash, hashOf(value.encode(asking))) && !this.stillRefersTo(asking, missing)) return;
    this.destination.next(record.withValue({ before: undefined, after: join(asking, row) }));
  }

  private stillRefersTo(row: L, missing: Uint8Array | undefined): boolean {
    const { isLeft, foreignKey, foreignKeyCodec } = this.options;
    if (isLeft || missing === undefined) return false;
    const foreign = foreignKey(row);
    return foreign !== null && foreign !== undefined && Buffer.compare(toBytes(foreignKeyCodec.encode(foreign)), missing) === 0;
  }
}

/** What needs no answer: a row that is gone, or refers to nothing. */
export class JoinAlone<K, L, R, F, J> implements Receiver<KafkaRecord<K, Change<L>>> {
  constructor(
    private readonly foreignKey: (row: L) => F | null | undefined,
    private readonly join: JoinWithForeign<L, R, J>,
    private readonly isLeft: boolean,
    private readonly destination: Subscriber<KafkaRecord<K, Change<J>>>,
  ) {}

  receive(record: KafkaRecord<K, Change<L>>): void {
    const { before, after } = record.value;
    if (this.refers(after)) return;
    const wasJoined = this.isLeft ? before !== undefined || after !== undefined : this.refers(before);
    if (!wasJoined) return;
    this.destination.next(record.withValue({ before: undefined, after: after === undefined ? undefined : this.join(after, undefined) }));
  }

  private refers(row: L | undefined): boolean {
    if (row === undefined) return false;
    const foreign = this.foreignKey(row);
    return foreign !== null && foreign !== undefined;
  }
}
