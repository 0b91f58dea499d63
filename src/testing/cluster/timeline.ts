/** One line of a picture: what happened at which frame. */
export interface TimelineRow {
  readonly name: string;
  readonly cells: string;
}

/** A run as rows under each other, with every fifth frame numbered. */
export function timeline(rows: readonly TimelineRow[], notes: readonly string[]): string {
  const label = Math.max('frame'.length, ...rows.map(({ name }) => name.length)) + 2;
  const frames = Math.max(1, ...rows.map(({ cells }) => cells.length));
  let ruler = '';
  for (let frame = 0; frame < frames; frame += 5) ruler = ruler.padEnd(frame) + String(frame);
  const lines = [{ name: 'frame', cells: ruler }, ...rows].map(({ name, cells }) => `  ${name.padEnd(label)}${cells}`.trimEnd());
  return [...lines, ...notes.map((note) => `  ${note}`)].join('\n');
}

/** How many things happened at each frame: a digit, or `+` for more than nine. */
export function counted(frames: readonly number[]): string {
  const counts = new Map<number, number>();
  for (const frame of frames) counts.set(frame, (counts.get(frame) ?? 0) + 1);
  const last = Math.max(-1, ...frames);
  return Array.from({ length: last + 1 }, (_, frame) => digit(counts.get(frame) ?? 0)).join('');
}

function digit(count: number): string {
  if (count === 0) return '-';
  return count > 9 ? '+' : String(count);
}
