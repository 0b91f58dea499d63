import type { Subscriber } from 'rxjs';
import { identityOf } from '../../src/codec/identity';
import { toBytes } from '../../src/codec/utf8';
import type { Codec } from '../../src/model/codec';
import type { KafkaRecord } from '../../src/model/record';
import type { Change } from '../../src/model/table';
import type { Counter, Scope } from '../../src/state/scope';
import type { Receiver } from '../operator';
import { hashOf, type Instruction, type Subscription } from './messages';

export interface SubscribeOptions<K, L, F> {
  readonly key: Codec<K>;
  readonly value: Codec<L>;
  readonly foreignKeyCodec: Codec<F>;
  readonly foreignKey: (row: L) => F | null | undefined;
  readonly isLeft: boolean;
}

export type Subscribing<F> = KafkaRecord<F, Subscription, 'moved'>;

const noHash = new Uint8Array(16);

/** The side of the rows that refer: each change of one tells the row it referred to, and asks the one it refers to now. */
export class SubscribeRows<K, L, F> implements Receiver<KafkaRecord<K, Change<L>>> {
  private readonly identity: (foreignKey: F) => string;
  private readonly nullForeignKeys: Counter;

  constructor(
    operator: string,
    scope: Scope,
    private readonly options: SubscribeOptions<K, L, F>,
    private readonly destination: Subscriber<Subscribing<F>>,
  ) {
    this.identity = identityOf(options.foreignKeyCodec);
    this.nullForeignKeys = scope.counter('dropped-records-total', operator, 'null-foreign-key');
  }

  receive(record: KafkaRecord<K, Change<L>>): void {
    const { before, after } = record.value;
    const [left, entered] = [this.foreignKeyOf(before), this.foreignKeyOf(after)];
    const stays = left !== undefined && entered !== undefined && this.identity(left) === this.identity(entered);
    if (left !== undefined && !stays) this.say(record, left, this.options.isLeft ? 'unsubscribe' : 'unsubscribe-and-answer', noHash);
    if (entered !== undefined) this.say(record, entered, this.instructionFor(left !== undefined && !stays), this.hashOf(after as L));
    else if (after !== undefined && !this.options.isLeft) this.nullForeignKeys.value += 1;
  }

  /** A row that has left another one says that there is nothing, if there is nothing: it may have been joined before. */
  private instructionFor(moved: boolean): Instruction {
    return this.options.isLeft || moved ? 'answer-always' : 'answer-if-there';
  }

  private say(record: KafkaRecord<K, unknown>, to: F, instruction: Instruction, hash: Uint8Array): void {
    const key = toBytes(this.options.key.encode(record.key));
    this.destination.next(record.withKey(to).withValue({ instruction, hash, key }));
  }

  private foreignKeyOf(row: L | undefined): F | undefined {
    return row === undefined ? undefined : (this.options.foreignKey(row) ?? undefined);
  }

  private hashOf(row: L): Uint8Array {
    return hashOf(this.options.value.encode(row));
  }
}
