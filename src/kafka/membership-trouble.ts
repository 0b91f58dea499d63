import { MillraceError } from '../errors/millrace-error';
import { kafkaCode } from './error-codes';
import { LARGE_GROUP } from './leading';

/** Why a join or a heartbeat did not do. */
export type Trouble = 'rejoin' | 'lost' | 'taken over' | 'fatal';

interface Membership {
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
}

export function troubleOf(code: number): Trouble {
  switch (code) {
    case kafkaCode.REBALANCE_IN_PROGRESS:
      return 'rejoin';
    case kafkaCode.ILLEGAL_GENERATION:
    case kafkaCode.UNKNOWN_MEMBER_ID:
      return 'lost';
    case kafkaCode.FENCED_INSTANCE_ID:
      return 'taken over';
    default:
      return 'fatal';
  }
}

export function fatal(code: number, said: string, { groupId, sessionTimeoutMs }: Membership): MillraceError {
  switch (code) {
    case kafkaCode.INVALID_SESSION_TIMEOUT:
      return new MillraceError(
        'CONFIG',
        `sessionTimeout ${String(sessionTimeoutMs)} ms is outside what the broker allows (group.min/max.session.timeout.ms): ${said}`,
      );
    case kafkaCode.INCONSISTENT_GROUP_PROTOCOL:
      return new MillraceError(
        'CONFIG',
        `group "${groupId}" is in use by a program that is not millrace; choose another applicationId: ${said}`,
      );
    default:
      return new MillraceError('BROKER_ERROR', `group "${groupId}" cannot be joined: ${said}`);
  }
}

/** It may have been a failure of the broker's disk, which passes; but a group that is too large stays so. */
export const notKeptBudget = { times: 5, pauseMs: 1_000 };

/** -1 to SyncGroup again and again: most often that the record of the group, its claims and orders, is too large. */
export function notKept(groupId: string, bytes: number): MillraceError {
  return new MillraceError(
    'BROKER_ERROR',
    `The broker does not keep group "${groupId}" (UNKNOWN_SERVER_ERROR to SyncGroup); its claims and orders have ${String(bytes)} bytes. ${LARGE_GROUP}`,
  );
}

export function unexpected(cause: unknown): MillraceError {
  return new MillraceError('BROKER_ERROR', `the group membership ended: ${String(cause)}`, { cause });
}
