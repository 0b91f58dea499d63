import { isLeft } from 'fp-ts/Either';
import type { Subscriber } from 'rxjs';
import { toBytes } from '../../src/codec/utf8';
import type { Codec } from '../../src/model/codec';
import type { KafkaRecord } from '../../src/model/record';
import type { Change } from '../../src/model/table';
import type { ForeignKeyRuntime, Subscribers } from '../../src/state/foreign-key-entries';
import type { TableRuntime } from '../../src/state/table';
import type { Receiver } from '../operator';
import type { Answer, Subscription } from './messages';

export type Answering<K, R> = KafkaRecord<K, Answer<R>, 'moved'>;

/** The side of the rows referred to, for what the rows that refer say: it keeps who refers, and answers with the row as it is. */
export class AnswerSubscriptions<K, F, R> implements Receiver<KafkaRecord<F, Subscription>> {
  constructor(
    private readonly store: ForeignKeyRuntime<K, F>,
    private readonly rows: TableRuntime<F, R>,
    private readonly destination: Subscriber<Answering<K, R>>,
  ) {}

  receive(record: KafkaRecord<F, Subscription>): void {
    const { store, rows, destination } = this;
    const { instruction, hash, key } = record.value;
    const leaves = instruction === 'unsubscribe' || instruction === 'unsubscribe-and-answer';
    if (leaves) store.unsubscribe(record.key, key, record.timestamp);
    else store.subscribe(record.key, key, hash, record.timestamp);
    if (instruction === 'unsubscribe') return;
    const found = leaves ? undefined : rows.find(record.key);
    if (found === undefined && instruction === 'answer-if-there') return;
    const timestamp = found !== undefined && found.timestamp > record.timestamp ? found.timestamp : record.timestamp;
    const answer = {
      hash,
      row: found?.value,
      missing: found === undefined ? toBytes(store.codecs.foreignKey.encode(record.key)) : undefined,
    };
    destination.next(record.withTimestamp(timestamp).withKey(decoded(store.codecs.key, key)).withValue(answer));
  }
}

/** The same for changes of the row: all that refer to it are answered, in the order of their keys, before the next record is taken. */
export class AnswerAll<K, F, R> implements Receiver<KafkaRecord<F, Change<R>>> {
  private open: Subscribers | undefined;

  constructor(
    private readonly store: ForeignKeyRuntime<K, F>,
    private readonly destination: Subscriber<Answering<K, R>>,
  ) {}

  receive(record: KafkaRecord<F, Change<R>>): void {
    const { scope } = this.store;
    const subscribers = this.store.openSubscribers(record.key);
    this.open = subscribers;
    // The cursor sees this moment, and nobody remembers how far it has come: no commit may fall before its end.
    scope.hold();
    scope.drive(() => this.answer(record, subscribers));
  }

  private answer(record: KafkaRecord<F, Change<R>>, subscribers: Subscribers): boolean | Promise<void> {
    const { store, destination } = this;
    const row = record.value.after;
    const missing = row === undefined ? toBytes(store.codecs.foreignKey.encode(record.key)) : undefined;
    for (;;) {
      const more = subscribers.next();
      if (typeof more !== 'boolean') return more;
      if (!more) break;
      destination.next(record.withKey(decoded(store.codecs.key, subscribers.key)).withValue({ hash: subscribers.hash, row, missing }));
      if (store.scope.failed || destination.closed) break;
    }
    subscribers.close();
    store.scope.letGo();
    return true;
  }

  release(): void {
    this.open?.close();
  }
}

function decoded<K>(codec: Codec<K>, key: Uint8Array): K {
  const found = codec.decode(key);
  if (isLeft(found)) throw found.left;
  return found.right;
}
