import { isDeepStrictEqual } from 'node:util';
import { MillraceError } from '../errors/millrace-error';
import type { ErrorCode } from '../errors/codes';
import type { Duration } from '../model/duration';
import type { Where } from '../model/where';
import type { CountWindows, SessionWindows, SlidingWindows, TimeWindows, WindowAssigner, Windows } from '../model/window';

type AnyWindows = Windows | SessionWindows;

/** What the rules of event time need to know of a kind of window. */
export interface WindowBounds {
  /** ms that a window stays open after its end. */
  readonly grace: Duration;
  /** The first instant behind the window that starts at `start` (of a sliding window: its last instant); grows with `start`. */
  endOf(start: number): number;
}

/** The bounds of windows that `checkWindows` has let through. */
export function boundsOf(windows: AnyWindows): WindowBounds {
  if (isTimeWindows(windows)) {
    const { size, grace = 0 } = windows;
    return { grace, endOf: (start) => start + size };
  }
  if (isSlidingWindows(windows)) {
    const { difference, grace = 0 } = windows;
    return { grace, endOf: (start) => start + difference };
  }
  if (isCountWindows(windows)) return { grace: 0, endOf: (start) => start + windows.records };
  if (isWindowAssigner(windows)) return { grace: windows.grace ?? 0, endOf: (start) => windows.endOf(start) };
  throw new Error('sessions have no bounds of their own');
}

/** Windows aligned to the epoch, tumbling ones included. */
export function isTimeWindows(windows: AnyWindows): windows is TimeWindows {
  return 'size' in windows;
}

/** Does a record lie in several of them, at places that are known? */
export function overlap(windows: AnyWindows): boolean {
  return isTimeWindows(windows) && windows.advance !== undefined && windows.advance < windows.size;
}

export function isSlidingWindows(windows: AnyWindows): windows is SlidingWindows {
  return 'difference' in windows;
}

export function isCountWindows(windows: AnyWindows): windows is CountWindows {
  return 'records' in windows;
}

export function isWindowAssigner(windows: AnyWindows): windows is WindowAssigner {
  return 'windowsOf' in windows;
}

export function isSessionWindows(windows: AnyWindows): windows is SessionWindows {
  return 'gap' in windows;
}

/**
 * @param owner names who was given the windows, in the message: an operator or a store
 * @throws WINDOW_SIZE, WINDOW_ADVANCE, WINDOW_DIFFERENCE, WINDOW_GAP, WINDOW_RECORDS, WINDOW_GRACE naming the option and its value; CONFIG
 *   for what is no description of windows
 */
export function checkWindows(windows: AnyWindows, owner: string, where: Where): void {
  const check = new OptionChecks(owner, where);
  if (typeof windows !== 'object' || (windows as unknown) === null) throw check.noWindows(windows);
  if (isTimeWindows(windows)) check.time(windows);
  else if (isSlidingWindows(windows)) check.duration('WINDOW_DIFFERENCE', 'difference', windows.difference);
  else if (isSessionWindows(windows)) check.positive('WINDOW_GAP', 'gap', windows.gap);
  else if (isCountWindows(windows)) check.count(windows);
  else if (!isWindowAssigner(windows) || typeof windows.windowsOf !== 'function' || typeof windows.endOf !== 'function') {
    throw check.noWindows(windows);
  }
  if (!isCountWindows(windows)) check.duration('WINDOW_GRACE', 'grace', windows.grace ?? 0);
}

class OptionChecks {
  constructor(
    private readonly owner: string,
    private readonly where: Where,
  ) {}

  /** An unlimited window has the size Infinity, and neither an advance nor a grace. */
  time({ size, advance = size, grace }: TimeWindows): void {
    if (size === Infinity && advance === Infinity) {
      if (grace !== undefined && grace !== 0) throw this.refuse('WINDOW_GRACE', 'grace', grace, 'a window that never ends has none');
      return;
    }
    this.positive('WINDOW_SIZE', 'size', size);
    if (!Number.isSafeInteger(advance) || advance <= 0 || advance > size) {
      throw this.refuse('WINDOW_ADVANCE', 'advance', advance, `it must be a whole number of ms > 0 and <= size, which is ${size}`);
    }
  }

  count({ records, every = records }: CountWindows): void {
    const rule = (bound: string): string => `it must be a whole number of records > 0${bound}`;
    if (!Number.isSafeInteger(records) || records <= 0) throw this.refuse('WINDOW_RECORDS', 'records', records, rule(''));
    if (!Number.isSafeInteger(every) || every <= 0 || every > records) {
      throw this.refuse('WINDOW_RECORDS', 'every', every, rule(` and <= records, which is ${records}`));
    }
  }

  positive(code: ErrorCode, option: string, value: number): void {
    if (!Number.isSafeInteger(value) || value <= 0) throw this.refuse(code, option, value, 'it must be a whole number of ms > 0');
  }

  duration(code: ErrorCode, option: string, value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw this.refuse(code, option, value, 'it must be a whole number of ms >= 0');
  }

  noWindows(windows: unknown): MillraceError {
    const kinds = '{ size }, { size, advance }, { difference }, { records }, { gap } for sessions, or { windowsOf, endOf }';
    return new MillraceError('CONFIG', `${this.owner}: the option windows is ${JSON.stringify(windows)}; it must be one of ${kinds}`, {
      where: { ...this.where, option: 'windows' },
    });
  }

  private refuse(code: ErrorCode, option: string, value: number, rule: string): MillraceError {
    return new MillraceError(code, `${this.owner}: the option ${option} is ${String(value)}; ${rule}`, {
      where: { ...this.where, option },
    });
  }
}

/** True when both describe the same windows with the same grace. Windows of one's own are the same only if they are one object. */
export function sameWindows(a: AnyWindows, b: AnyWindows): boolean {
  if (a === b) return true;
  const options = optionsOf(a);
  return options !== undefined && isDeepStrictEqual(options, optionsOf(b));
}

/** With defaults filled in; undefined: they are functions. */
function optionsOf(windows: AnyWindows): Readonly<Record<string, number>> | undefined {
  if (isCountWindows(windows)) return { records: windows.records, every: windows.every ?? windows.records };
  const { grace = 0 } = windows;
  if (isTimeWindows(windows)) return { size: windows.size, advance: windows.advance ?? windows.size, grace };
  if (isSlidingWindows(windows)) return { difference: windows.difference, grace };
  return isSessionWindows(windows) ? { gap: windows.gap, grace } : undefined;
}

/** For messages. */
export function describeWindows(windows: AnyWindows): string {
  if (isWindowAssigner(windows)) return 'of a { windowsOf, endOf } of its own';
  return JSON.stringify(windows, (_, value: unknown) => (value === Infinity ? 'Infinity' : value));
}
