import type { Clock } from '../time/clock';

const MOST_TURNS = 4;
/** ms until what cannot be done yet is tried again. */
const AGAIN_MS = 20;

/** Calls back after that many turns of the clock. */
function afterTurns(clock: Clock, turns: number, callback: () => void): void {
  clock.setImmediate(() => {
    if (turns <= 1) callback();
    else afterTurns(clock, turns - 1, callback);
  });
}

/**
 * Takes the steps of completing a transaction one by one, in an order drawn by chance, with a wait before each and one before `done`.
 * With a wait of 0 ms it is one to four turns of the clock: "EndTxn = 0" means decided, not visible.
 *
 * @param steps each gives false when it cannot be taken yet: who leads there is not known
 */
export function takeSteps(clock: Clock, waitMs: number, steps: readonly (() => boolean)[], done: () => void): void {
  const left = [...steps];
  const wait = (callback: () => void): void => {
    if (waitMs > 0) clock.setTimer(waitMs, callback);
    else afterTurns(clock, 1 + Math.floor(clock.random() * MOST_TURNS), callback);
  };
  const next = (): void => {
    const [step] = left.splice(Math.floor(clock.random() * left.length), 1);
    if (step === undefined) {
      done();
      return;
    }
    if (step()) {
      wait(next);
      return;
    }
    left.push(step);
    clock.setTimer(AGAIN_MS, next);
  };
  wait(next);
}
