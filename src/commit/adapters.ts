import type { Broker } from '../kafka/port';
import type { TransactionStep } from '../kafka/transaction-outcome';
import type { OpenBytes } from '../state/open-bytes';
import type { Slot } from '../state/slot';
import type { Clock } from '../time/clock';
import type { MemberThread } from './member-thread';

/** What only the composition root names. */
export interface Adapters {
  readonly clock: Clock;
  readonly broker: Broker;
  /** Undefined: every store is in memory. */
  readonly openBytes: OpenBytes | undefined;
  /** Takes this instance's slot under the state directory. */
  readonly openSlot: () => Promise<Slot>;
  /** Undefined: the process has one, its number is 0. */
  readonly thread?: MemberThread;
  /** Told as each step of a transaction begins; for tests that stop the process there. */
  readonly onTransactionStep?: (step: TransactionStep) => void;
}
