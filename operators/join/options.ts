import type { NextObserver } from 'rxjs';
import type { LateRecord } from '../fold/options';

/** Which records come out without a partner once none can come any more: nobody's, those of the left side, those of both. */
export type JoinKind = 'inner' | 'left' | 'outer';

/** A record that came to a join too late. `window` holds the times of the partners it would have had, both ends in. */
export type LateJoinRecord<K, L, R> = (LateRecord<K, L> & { readonly side: 'left' }) | (LateRecord<K, R> & { readonly side: 'right' });

/** Of `joinStream`. */
export interface JoinOptions<K, L, R> {
  /** Is given each late record, within the same push: what follows from it is committed with it. */
  readonly late?: NextObserver<LateJoinRecord<K, L, R>>;
  /**
   * 'refuse' (default): a late record meets nobody. 'join', as in Kafka Streams: it meets whom the store of the JVM would still show: rows
   * newer than the greatest timestamp kept of their side - (before + after + grace), and rows whose own window is open.
   */
  readonly lateRecords?: 'refuse' | 'join';
}
