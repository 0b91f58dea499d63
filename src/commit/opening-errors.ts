import { MillraceError } from '../errors/millrace-error';

export function stateWithoutOffsets(task: number): MillraceError {
  return new MillraceError(
    'COMMITTED_STATE_WITHOUT_OFFSETS',
    `task ${String(task)}: its changelogs hold committed records, but the group has no committed offsets (expired, or deleted). ` +
      'Starting from the beginning would count everything twice: restore the offsets, or reset the application (delete its changelogs and its local state)',
  );
}

export function asMillraceError(cause: unknown, task: number): MillraceError {
  if (cause instanceof MillraceError) return cause;
  return new MillraceError('BROKER_ERROR', `task ${String(task)} could not be started: ${String(cause)}`, { cause });
}
