import type { Lead } from './pursuit';

/** Awaits that take two rare things, one after the other. */
export const leads: readonly Lead[] = [
  // A standby's stores cannot be read when it hands them over.
  {
    to: 'src/commit/standby-task.ts handOver: this.options.folders.close(',
    from: 'src/commit/standby-task.ts handOver: this.end()',
    cut: 'unread',
  },
  // An owner becomes a standby, and what it has committed cannot be written.
  {
    to: 'src/commit/standbys.ts flushed: this.options.folders.close(',
    from: 'src/commit/standbys.ts rest: stores.flush()',
    besides: 'src/commit/standbys.ts flushed: flushed',
    cut: 'full',
  },
  // A static member's EndTxn whose answer gets lost, and another process that takes the id before it is asked again.
  {
    to: 'src/kafka/transaction.ts #endWithCommit: this.#afterBrokerEndedIt(',
    from: 'src/kafka/transaction.ts #endWithCommit: this.#endTxn(',
    besides: 'src/kafka/taken-over.ts takenOver: ',
    cut: 'asleep',
  },
  { to: 'src/state/store-directory.ts open: bytes.close()', from: 'src/state/store-directory.ts open: openBytes(', cut: 'unread' },
  { to: 'src/state/task-stores.ts openTaskStores: place.clear(', from: 'src/state/store-directory.ts clear: ', cut: 'crash' },
];
