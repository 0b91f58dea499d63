import type { Clock } from './clock';

/** The machine's own time and chance. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return {
      cancel: () => {
        clearTimeout(timer);
      },
    };
  },
  setImmediate: (callback) => {
    const immediate = setImmediate(callback);
    return {
      cancel: () => {
        clearImmediate(immediate);
      },
    };
  },
  random: () => Math.random(),
};
