import type { Clock } from '../time/clock';

/** Which of several threads of one process an instance runs in; each is a member of the group. */
export interface MemberThread {
  /** From 0: ends the transactional id and the group instance id, so that the next thread of this number fences the one before. */
  readonly number: number;
  /** Of the process: see `nonceOfProcess`. */
  readonly nonce: string;
}

/** Tells one start of a process from another, in claims; begins with its time in ms. */
export function nonceOfProcess(clock: Clock): string {
  return `${String(clock.now())}-${String(clock.random())}`;
}
