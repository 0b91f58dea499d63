import { MillraceError } from '../errors/millrace-error';

/** True if another process, or another database object of this one, holds the folder. */
export function isLocked(error: unknown): boolean {
  return levelCodes(error).includes('LEVEL_LOCKED');
}

/** What LevelDB reports, as ours. */
export function levelError(error: unknown, directory: string, doing: string): MillraceError {
  if (error instanceof MillraceError) return error;
  const reason = rootMessage(error);
  if (isLocked(error)) {
    return new MillraceError('SLOT_IN_USE', `the state folder ${directory} is locked by another process: ${reason}`, { cause: error });
  }
  if (levelCodes(error).includes('LEVEL_CORRUPTION') || reason.includes('Corruption') || reason.includes('No such file')) {
    return new MillraceError('STATE_CORRUPTED', `${doing} in ${directory}: ${reason}; it can be rebuilt from the changelog`, {
      cause: error,
    });
  }
  return new MillraceError('STATE_IO', `${doing} in ${directory}: ${reason}; is the disk full, or is a permission missing?`, {
    cause: error,
    retryable: true,
  });
}

/** abstract-level wraps: the database is not open, because …, because … */
function* causes(error: unknown): Generator<unknown, void> {
  for (let cause = error; cause !== undefined; cause = (cause as { cause?: unknown }).cause) {
    yield cause;
    if (!(cause instanceof Error)) return;
  }
}

function levelCodes(error: unknown): string[] {
  return [...causes(error)].flatMap((cause) => (cause instanceof Error && 'code' in cause ? [String(cause.code)] : []));
}

function rootMessage(error: unknown): string {
  const root = [...causes(error)].at(-1);
  return root instanceof Error ? root.message : String(root);
}
