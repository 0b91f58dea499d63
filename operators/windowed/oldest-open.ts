import type { Windows } from '../../src/model/window';
import { boundsOf, isCountWindows, isTimeWindows, type WindowBounds } from '../../src/state/windows';

const LAST_START = 2 ** 53 - 1;

/**
 * Gives the least timestamp that a window which is still open may hold, when event time less grace has come to a moment. No result of an
 * open window is older.
 */
export function oldestOpen(windows: Windows): (closedTo: number) => number {
  if (isTimeWindows(windows)) {
    const { size, advance = size } = windows;
    return (closedTo) => oldestOpenStart(closedTo, size, advance);
  }
  // Each result is that of the record which completes it, whenever its first one was.
  if (isCountWindows(windows)) return () => Infinity;
  const bounds = boundsOf(windows);
  let closed = -1;
  let oldest = 0;
  return (closedTo) => {
    if (closedTo > closed) oldest = firstStartEndingAt(closedTo, bounds, oldest);
    closed = Math.max(closed, closedTo);
    return oldest;
  };
}

/** The first multiple of `advance` whose window ends behind `closedTo`. */
function oldestOpenStart(closedTo: number, size: number, advance: number): number {
  if (closedTo < size) return 0;
  const reach = closedTo - size;
  return reach - (reach % advance) + advance;
}

/** Ends never fall as starts grow: halving finds the first start whose end is at `closedTo` or behind, in 53 steps. */
function firstStartEndingAt(closedTo: number, bounds: WindowBounds, from: number): number {
  let least = from;
  let most = Math.min(LAST_START, Math.max(from, closedTo));
  if (bounds.endOf(most) < closedTo) return most;
  while (least < most) {
    const middle = least + Math.floor((most - least) / 2);
    if (bounds.endOf(middle) < closedTo) least = middle + 1;
    else most = middle;
  }
  return least;
}
