import type { Duration } from '../../src/model/duration';
import type { Window, WindowAssigner } from '../../src/model/window';

/** What the windows of a timestamp are made for once: neighbouring records mostly share them. */
const SLOTS = 8;

/** [start, start + size) for every multiple of `size`. Infinity: one window without an end. */
export function tumbling(size: Duration): WindowAssigner {
  if (size === Infinity) return forever;
  let windows: readonly Window[] = [];
  let current = -1;
  return {
    windowsOf: (timestamp) => {
      const start = timestamp - (timestamp % size);
      if (start !== current) {
        current = start;
        windows = [{ start, end: start + size }];
      }
      return windows;
    },
    endOf: (start) => start + size,
  };
}

/** [start, start + size) for every multiple of `advance`, ascending; none starts before 0. */
export function hopping(size: Duration, advance: Duration): WindowAssigner {
  const slots: (readonly Window[])[] = new Array<readonly Window[]>(SLOTS).fill([]);
  return {
    windowsOf: (timestamp) => {
      const last = timestamp - (timestamp % advance);
      const reach = timestamp - size + advance;
      // Remainders, not quotients: near 2^53 a quotient rounds.
      const first = reach <= 0 ? 0 : reach - (reach % advance);
      const slot = (last / advance) % SLOTS;
      const known = slots[slot]!;
      // Of two timestamps with one last window the later may have one first window less.
      if (known.length > 0 && known[0]!.start === first && known[known.length - 1]!.start === last) return known;
      return (slots[slot] = windowsFrom(first, last, size, advance));
    },
    endOf: (start) => start + size,
  };
}

function windowsFrom(first: number, last: number, size: Duration, advance: Duration): readonly Window[] {
  const windows: Window[] = [];
  for (let start = first; start <= last; start += advance) windows.push({ start, end: start + size });
  return windows;
}

const always: readonly Window[] = [{ start: 0, end: Infinity }];
const forever: WindowAssigner = { windowsOf: () => always, endOf: () => Infinity };
