import { MillraceError } from '../../errors/millrace-error';

/** What stands in one column of a row. */
export interface RowSymbol {
  readonly frame: number;
  readonly symbol: string;
}

/**
 * One row of a diagram: a column is a frame, `-` is a frame in which nothing happens, `(ab)` is several at the frame of its bracket and
 * takes as many frames as columns. Spaces mean nothing. Every other character is a symbol.
 *
 * @throws CONFIG for brackets that do not match
 */
export function parseRow(row: string, name: string): RowSymbol[] {
  const symbols: RowSymbol[] = [];
  let frame = 0;
  let group = -1;
  for (const character of columnsOf(row)) {
    if (character === '(' || character === ')') {
      if ((character === '(') !== group < 0) throw rowError(name, row, 'its brackets do not match');
      group = character === '(' ? frame : -1;
    } else if (character !== '-') symbols.push({ frame: group < 0 ? frame : group, symbol: character });
    frame++;
  }
  if (group >= 0) throw rowError(name, row, 'its brackets do not match');
  return symbols;
}

/** A row as it is read: one column a frame. */
export function columnsOf(row: string): string {
  return row.replace(/\s/g, '');
}

export function rowError(name: string, row: string, problem: string): MillraceError {
  return new MillraceError('CONFIG', `row "${name}" (${row}): ${problem}`);
}
