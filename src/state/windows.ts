import { MillraceError } from '../errors/millrace-error';
import type { ErrorCode } from '../errors/codes';
import type { Duration } from '../model/duration';
import type { Where } from '../model/where';
import type { TimeWindows, Windows } from '../model/window';

/** What the rules of event time need to know of a kind of window. */
export interface WindowBounds {
  /** ms that a window stays open after its end. */
  readonly grace: Duration;
  /** The first instant behind the window that starts at `start`; grows with `start`. */
  endOf(start: number): number;
}

/** The bounds of windows that `checkWindows` has let through. */
export function boundsOf(windows: TimeWindows): WindowBounds {
  const { size, grace = 0 } = windows;
  return { grace, endOf: (start) => start + size };
}

/** Windows aligned to the epoch, tumbling ones included. */
export function isTimeWindows(windows: Windows): windows is TimeWindows {
  return 'size' in windows;
}

/**
 * @param owner names who was given the windows, in the message: an operator or a store
 * @throws WINDOW_SIZE, WINDOW_ADVANCE, WINDOW_GRACE naming the option and its value
 */
export function checkTimeWindows(windows: TimeWindows, owner: string, where: Where): void {
  const { size, advance = size, grace = 0 } = windows;
  const refuse = (code: ErrorCode, option: string, value: number, rule: string): MillraceError =>
    new MillraceError(code, `${owner}: the option ${option} is ${value}; it must be a whole number of ms ${rule}`, {
      where: { ...where, option },
    });
  if (!Number.isSafeInteger(size) || size <= 0) throw refuse('WINDOW_SIZE', 'size', size, '> 0');
  if (!Number.isSafeInteger(advance) || advance <= 0 || advance > size) {
    throw refuse('WINDOW_ADVANCE', 'advance', advance, `> 0 and <= size, which is ${size}`);
  }
  if (!Number.isSafeInteger(grace) || grace < 0) throw refuse('WINDOW_GRACE', 'grace', grace, '>= 0');
}

/** True when both describe the same windows with the same grace. */
export function sameWindows(a: Windows, b: Windows): boolean {
  if (a === b) return true;
  if (!isTimeWindows(a) || !isTimeWindows(b)) return false;
  return a.size === b.size && (a.advance ?? a.size) === (b.advance ?? b.size) && (a.grace ?? 0) === (b.grace ?? 0);
}

/** For messages. */
export function describeWindows(windows: Windows): string {
  return JSON.stringify(windows);
}
