import { MillraceError } from '../errors/millrace-error';

/** True if another process, or another database object of this one, holds the folder. */
export function isLocked(error: unknown): boolean {
  return levelCodes(error).includes('LEVEL_LOCKED');
}

/** What LevelDB says of damaged files. The last: a table is read beyond its end, for it was cut off. */
const damage = ['Corruption', 'No such file', '.ldb: Invalid argument'];

/** What LevelDB reports, as ours. */
export function levelError(error: unknown, directory: string, doing: string): MillraceError {
  if (error instanceof MillraceError) return error;
  const reason = rootMessage(error);
  if (isLocked(error)) {
    return new MillraceError('SLOT_IN_USE', `the state folder ${directory} is locked by another process: ${reason}`, { cause: error });
  }
  if (levelCodes(error).includes('LEVEL_CORRUPTION') || damage.some((words) => reason.includes(words))) {
    return new MillraceError('STATE_CORRUPTED', `${doing} in ${directory}: ${reason}; it can be rebuilt from the changelog`, {
      cause: error,
    });
  }
  return new MillraceError('STATE_IO', `${doing} in ${directory}: ${reason}; is the disk full, or is a permission missing?`, {
    cause: error,
    retryable: true,
  });
}

/**
 * abstract-level wraps: the database is not open, because …, because … Read without `instanceof`: what the native module throws may be
 * an error of another realm.
 */
function causes(error: unknown): readonly { readonly code?: unknown; readonly message?: unknown; readonly cause?: unknown }[] {
  if (typeof error !== 'object' || error === null) return [];
  return [error, ...causes((error as { readonly cause?: unknown }).cause)];
}

function levelCodes(error: unknown): string[] {
  return causes(error).map(({ code }) => String(code));
}

function rootMessage(error: unknown): string {
  return String(causes(error).at(-1)?.message ?? error);
}
