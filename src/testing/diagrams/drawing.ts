import { inWords } from './difference';
import { same } from './same';

/** As TestScheduler records it. */
export interface Frame {
  readonly frame: number;
  readonly notification:
    { readonly kind: 'N'; readonly value: unknown } | { readonly kind: 'E'; readonly error: unknown } | { readonly kind: 'C' };
}

const SYMBOLS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
/** A longer silence is written as a time, as RxJS does. */
const LONGEST_SILENCE = 40;

/** Letters for values: equal values have the same one, so that two diagrams can be compared by eye. */
export class Legend {
  private readonly values: unknown[] = [];

  symbolOf({ notification }: Frame): string {
    if (notification.kind === 'C') return '|';
    const value = notification.kind === 'E' ? new Failed(notification.error) : notification.value;
    let at = this.values.findIndex((known) => same(known, value));
    if (at < 0) at = this.values.push(value) - 1;
    if (value instanceof Failed) return '#';
    return SYMBOLS[at] ?? `<${at}>`;
  }

  lines(): string[] {
    return this.values.map((value, at) =>
      value instanceof Failed ? `# = ${inWords(value.error)}` : `${SYMBOLS[at] ?? `<${at}>`} = ${inWords(value)}`,
    );
  }
}

class Failed {
  constructor(readonly error: unknown) {}
}

/** Several streams of frames under each other, each frame in the same column, with the frames' numbers below. */
export function drawn(rows: Readonly<Record<string, readonly Frame[]>>, legend: Legend): string[] {
  const cells = Object.entries(rows).map(([name, frames]) => ({ name, text: '', cells: cellsOf(frames, legend) }));
  const frames = [...new Set(Object.values(rows).flatMap((row) => row.map(({ frame }) => frame)))].sort((a, b) => a - b);
  let ruler = '';
  let reached = 0;
  for (const frame of frames) {
    const silence = frame - reached;
    const gap = silence > LONGEST_SILENCE ? ` ${silence}ms ` : '-'.repeat(silence);
    const width = Math.max(...cells.map((row) => row.cells.get(frame)?.length ?? 1));
    for (const row of cells) row.text += gap + (row.cells.get(frame) ?? '-').padEnd(width, '-');
    const column = (cells[0]?.text.length ?? 0) - width;
    if (ruler === '' || column > ruler.length) ruler = ruler.padEnd(column) + String(frame);
    reached = frame + 1;
  }
  const label = Math.max('frame'.length, ...cells.map(({ name }) => name.length)) + 2;
  return [
    ...cells.map(({ name, text }) => `${name.padEnd(label)}${text === '' ? '-' : text}`),
    `${'frame'.padEnd(label)}${ruler}`.trimEnd(),
  ];
}

function cellsOf(frames: readonly Frame[], legend: Legend): Map<number, string> {
  const cells = new Map<number, string>();
  for (const frame of frames) cells.set(frame.frame, (cells.get(frame.frame) ?? '') + legend.symbolOf(frame));
  for (const [frame, text] of cells) if (text.length > 1) cells.set(frame, `(${text})`);
  return cells;
}
