import { MillraceError } from '../../errors/millrace-error';
import type { Duration } from '../../model/duration';

/** What stands in one column of a row. */
export interface RowSymbol {
  readonly frame: number;
  readonly symbol: string;
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/**
 * One row of a diagram: a column is a frame, `-` is a frame in which nothing happens, `(ab)` is several at the frame of its bracket and
 * takes as many frames as columns; ` 10s ` is as many frames as take that time. Other spaces mean nothing. Every other character is a
 * symbol. So RxJS has it in `run`.
 */
export class Row {
  /** A column a frame. */
  readonly columns: string;
  readonly symbols: readonly RowSymbol[];

  /** @throws CONFIG for brackets that do not match, for a time that is no whole number of frames */
  constructor(
    private readonly name: string,
    private readonly text: string,
    private readonly frameMs: Duration,
  ) {
    this.columns = this.withoutTimes().replace(/\s/g, '');
    this.symbols = this.read();
  }

  error(problem: string): MillraceError {
    return new MillraceError('CONFIG', `row "${this.name}" (${this.text}): ${problem}`);
  }

  private withoutTimes(): string {
    return this.text.replace(/(?<!\S)(\d+(?:\.\d+)?)(ms|s|m)(?!\S)/g, (time, amount: string, unit: string) => {
      const frames = (Number(amount) * UNITS_MS[unit]!) / this.frameMs;
      if (!Number.isInteger(frames)) throw this.error(`${time} is no whole number of frames, each of ${this.frameMs} ms`);
      return '-'.repeat(frames);
    });
  }

  private read(): RowSymbol[] {
    const symbols: RowSymbol[] = [];
    let frame = 0;
    let group = -1;
    for (const character of this.columns) {
      if (character === '(' || character === ')') {
        if ((character === '(') !== group < 0) throw this.error('its brackets do not match');
        group = character === '(' ? frame : -1;
      } else if (character !== '-') symbols.push({ frame: group < 0 ? frame : group, symbol: character });
      frame++;
    }
    if (group >= 0) throw this.error('its brackets do not match');
    return symbols;
  }
}
