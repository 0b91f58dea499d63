import { MillraceError } from '../../src/errors/millrace-error';
import type { Window, WindowAssigner } from '../../src/model/window';

/** Windows named at most in a message. */
const SHOWN = 5;

/** Gives what an assigner gives, once it has been found to be what stores and clocks rely on. Checks an array that it gives again once. */
export class CheckedAssigner implements Pick<WindowAssigner, 'windowsOf'> {
  private known: readonly Window[] = [];
  /** The last window of the last answer that had any. */
  private before: Window | undefined;

  constructor(private readonly assigner: WindowAssigner) {}

  readonly windowsOf = (timestamp: number): readonly Window[] => {
    const windows = this.assigner.windowsOf(timestamp);
    if (windows !== this.known) this.check(timestamp, windows);
    for (const { start, end } of windows) {
      if (timestamp < start || timestamp >= end) throw lies(timestamp, windows, `[${start}, ${end}) does not hold it`);
    }
    return windows;
  };

  private check(timestamp: number, windows: readonly Window[]): void {
    if (!Array.isArray(windows)) throw lies(timestamp, windows, 'that is no array of windows');
    let previous: Window | undefined;
    for (const window of windows as readonly Window[]) {
      const problem = this.problemOf(window, previous);
      if (problem !== undefined) throw lies(timestamp, windows, problem);
      previous = window;
    }
    this.before = previous ?? this.before;
    this.known = windows;
  }

  private problemOf(window: Window, previous: Window | undefined): string | undefined {
    const { start, end } = window;
    if (!Number.isSafeInteger(start) || start < 0) return `the start ${start} is no whole number of ms from 0 to 2^53 - 1`;
    if (!(Number.isInteger(end) || end === Infinity) || end <= start) {
      return `the end ${end} is neither a whole number of ms > ${start}, its start, nor Infinity`;
    }
    const stated = this.assigner.endOf(start);
    if (stated !== end) return `endOf(${start}) is ${stated}, not ${end}`;
    if (previous !== undefined && previous.start >= start)
      return `the start ${start} does not come after ${previous.start}, the one before it`;
    return [previous, this.before].map((other) => disorder(window, other)).find((found) => found !== undefined);
  }
}

/** The window that starts later must not end earlier: windows close by ascending start. */
function disorder(one: Window, other: Window | undefined): string | undefined {
  if (other === undefined) return undefined;
  const [first, second] = one.start < other.start ? [one, other] : [other, one];
  if (first.end <= second.end) return undefined;
  return `[${second.start}, ${second.end}) starts after [${first.start}, ${first.end}) and ends before it`;
}

function lies(timestamp: number, windows: unknown, problem: string): MillraceError {
  const given = Array.isArray(windows) ? shown(windows as readonly Window[]) : String(windows);
  return new MillraceError('WINDOW_ASSIGNER', `for the timestamp ${timestamp} windowsOf gave ${given}: ${problem}`, {
    where: { option: 'windowsOf' },
  });
}

function shown(windows: readonly Window[]): string {
  const some = windows.slice(0, SHOWN).map((window) => `[${window.start}, ${window.end})`);
  if (windows.length > SHOWN) some.push(`and ${windows.length - SHOWN} more`);
  return some.join(', ');
}
