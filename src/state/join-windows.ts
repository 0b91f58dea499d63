import type { ErrorCode } from '../errors/codes';
import { MillraceError } from '../errors/millrace-error';
import type { JoinWindows } from '../model/join';

/**
 * What is checked, so that no time needs more than 53 bits on its way.
 *
 * @throws WINDOW_JOIN, WINDOW_GRACE naming the option and its value; CONFIG for what is no description of windows
 */
export function checkJoinWindows(store: string, windows: JoinWindows): void {
  if (typeof windows !== 'object' || (windows as unknown) === null || !('before' in windows && 'after' in windows)) {
    throw refused('CONFIG', store, 'windows', JSON.stringify(windows), 'it must be { before, after, grace }');
  }
  const { before, after, grace = 0 } = windows;
  for (const [option, value] of [
    ['before', before],
    ['after', after],
  ] as const) {
    if (!Number.isSafeInteger(value)) throw refused('WINDOW_JOIN', store, option, String(value), 'it must be a whole number of ms');
  }
  if (before + after < 0) {
    const rule = `before + after is ${before + after}; it must be >= 0, or no two records could meet`;
    throw refused('WINDOW_JOIN', store, 'after', String(after), rule);
  }
  if (!Number.isSafeInteger(grace) || grace < 0) {
    throw refused('WINDOW_GRACE', store, 'grace', String(grace), 'it must be a whole number of ms >= 0');
  }
  if (Number.isSafeInteger(Math.abs(before) + Math.abs(after) + grace)) return;
  throw refused('WINDOW_JOIN', store, 'after', String(after), 'before, after and grace together must be < 2^53 ms');
}

function refused(code: ErrorCode, store: string, option: string, value: string, rule: string): MillraceError {
  return new MillraceError(code, `store ${store}: the option ${option} is ${value}; ${rule}`, { where: { store, option } });
}
