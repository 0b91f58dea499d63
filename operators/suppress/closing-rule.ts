import { MillraceError } from '../../src/errors/millrace-error';
import { keyWindows, type SliceCodec } from '../../src/model/codec';
import type { StoreShape } from '../../src/model/store-definition';
import type { CountWindows, ResultWindows, SessionWindows, Windowed, Windows } from '../../src/model/window';
import {
  describeWindows,
  isCountWindows,
  isSessionWindows,
  isSlidingWindows,
  isTimeWindows,
  isWindowAssigner,
  sameWindows,
} from '../../src/state/windows';
import { optionError } from './check-options';

type AnyWindows = Windows | SessionWindows;

/** Beyond every timestamp there is, and exact in a double: ends of windows may lie there. */
const NEVER = 2 ** 53;

/**
 * When a window closes: how long it waits behind its end is what the operators before it wait, the longest of them. Which windows they
 * are, the key codec of the store says, and the operators it is subscribed to.
 */
export class ClosingRule {
  private windows: AnyWindows | undefined;
  private waits = 0;
  /** A record may still come for the very end of a window. */
  private waitsForTheLast = false;
  /** And yet what ends there is released. */
  releasesAtEnd = false;

  constructor(
    private readonly operator: string,
    private readonly store: StoreShape,
  ) {
    const declared = (store.key as SliceCodec<unknown>)[keyWindows];
    if (declared !== undefined) this.meets(declared);
  }

  /** @throws STORE_WINDOWS for windows other than those known; CONFIG for those that do not close by time */
  meets({ windows, releasedAtEnd }: ResultWindows): void {
    if (isCountWindows(windows) || (isTimeWindows(windows) && windows.size === Infinity)) {
      throw this.refuse(`the windows ${describeWindows(windows)} never close by time`);
    }
    if (this.windows !== undefined && !endAlike(this.windows, windows)) throw this.unlike(this.windows, windows);
    this.windows ??= windows;
    const hasLast = isSessionWindows(windows) || isSlidingWindows(windows);
    // All of them must say so: the last one to close decides.
    this.waitsForTheLast ||= hasLast && !releasedAtEnd;
    this.releasesAtEnd = releasedAtEnd && !this.waitsForTheLast;
    this.waits = Math.max(this.waits, waitOf(windows));
  }

  /** @throws CONFIG when nobody has said which windows there are */
  check(): void {
    if (this.windows !== undefined) return;
    const how = 'suppress results of a windowed aggregate, and declare the store with the output of theirs';
    throw this.refuse(`the results are not those of windows, as far as can be seen: ${how}`);
  }

  /** Those that end here or before are released. Windows whose end belongs to them close an instant later than the others. */
  closedUpTo(eventTime: number): number {
    return eventTime - this.waits - (this.waitsForTheLast ? 1 : 0);
  }

  /** @throws CONFIG for a key that is none of a window */
  endOf(key: unknown): number {
    const { end } = key as Partial<Windowed<unknown>>;
    if (typeof end !== 'number' || !(end >= 0)) throw this.refuse('the key of a result is not that of a window: it has no end');
    return Math.min(end, NEVER);
  }

  private unlike(known: AnyWindows, windows: AnyWindows): MillraceError {
    const { operator, store } = this;
    return new MillraceError(
      'STORE_WINDOWS',
      `${operator}: the results come in windows ${describeWindows(windows)}, but those of the store ${store.name} are ` +
        `${describeWindows(known)}; declare it with the output of the store whose results it holds back`,
      { where: { operator, store: store.name } },
    );
  }

  private refuse(problem: string): MillraceError {
    return optionError(this.operator, 'until', `is 'windowCloses', but ${problem}`);
  }
}

/** ms behind its end. */
function waitOf(windows: Exclude<AnyWindows, CountWindows>): number {
  return (windows.grace ?? 0) + (isSessionWindows(windows) ? windows.gap : 0);
}

/** The same windows, whatever they wait. */
function endAlike(a: AnyWindows, b: AnyWindows): boolean {
  if (isWindowAssigner(a) && isWindowAssigner(b)) return a.windowsOf === b.windowsOf && a.endOf === b.endOf;
  return sameWindows(withoutGrace(a), withoutGrace(b));
}

function withoutGrace(windows: AnyWindows): AnyWindows {
  return isCountWindows(windows) ? windows : { ...windows, grace: 0 };
}
