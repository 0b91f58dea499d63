/**
 * Checks a run with a plain loop over plain data. It shares nothing with the library or the topology: what a minute is, how many pages
 * rank, and which events are valid is said here once more.
 */

interface Views {
  readonly page: string;
  readonly views: number;
}

export interface Observed {
  /** Every line that was sent, without the flush records. */
  readonly sent: Iterable<string>;
  readonly counts: readonly (Views & { readonly minute: number })[];
  readonly late: readonly { readonly page: string; readonly timestamp: number }[];
  /** In the order of writing: the last one of a minute is its result. */
  readonly topPages: readonly { readonly minute: number; readonly top: readonly Views[] }[];
  /** Records the application says it skipped. */
  readonly skipped: number;
}

export interface Verdict {
  readonly generated: number;
  readonly counted: number;
  readonly late: number;
  readonly malformed: number;
  readonly filtered: number;
  /** Empty when everything is as it must be. */
  readonly differences: readonly string[];
}

const MINUTE = 60_000;
const RANKS = 10;

export function judge({ sent, counts, late, topPages, skipped }: Observed): Verdict {
  const { generated, malformed, filtered, views } = readSent(sent);
  const counted = counts.reduce((sum, count) => sum + count.views, 0);
  const sum = counted + late.length + malformed + filtered;
  const differences: string[] = [];
  if (sum !== generated) differences.push(`${generated} generated, but counted + late + malformed + filtered = ${sum}`);
  if (skipped !== malformed) differences.push(`${malformed} malformed lines sent, but ${skipped} skipped`);
  differences.push(...wrongCounts(views, counts, late), ...wrongTops(counts, topPages));
  return { generated, counted, late: late.length, malformed, filtered, differences };
}

function readSent(sent: Observed['sent']): { generated: number; malformed: number; filtered: number; views: Map<string, number> } {
  const views = new Map<string, number>();
  let [generated, malformed, filtered] = [0, 0, 0];
  for (const text of sent) {
    const event = parse(text);
    generated += 1;
    if (event === undefined) malformed += 1;
    else if (event.event_type !== 'page_view') filtered += 1;
    else add(views, place(event.page, event.timestamp), 1);
  }
  return { generated, malformed, filtered, views };
}

/** Each page of each minute: counted + late = sent, counted once. */
function wrongCounts(sent: ReadonlyMap<string, number>, counts: Observed['counts'], late: Observed['late']): string[] {
  const differences: string[] = [];
  const counted = new Map<string, number>();
  for (const { page, minute, views } of counts) {
    const where = place(page, minute);
    if (counted.has(where)) differences.push(`${where}: counted twice, ${counted.get(where)} and ${views}`);
    add(counted, where, views);
  }
  const tooLate = new Map<string, number>();
  for (const { page, timestamp } of late) add(tooLate, place(page, timestamp), 1);

  for (const where of new Set([...sent.keys(), ...counted.keys(), ...tooLate.keys()])) {
    const [expected, got, missed] = [sent.get(where) ?? 0, counted.get(where) ?? 0, tooLate.get(where) ?? 0];
    if (got + missed !== expected) differences.push(`${where}: ${expected} views sent, but ${got} counted and ${missed} late`);
  }
  return differences;
}

/** The ten pages of each minute with the greatest counts, equal ones by name. */
function wrongTops(counts: Observed['counts'], topPages: Observed['topPages']): string[] {
  const expected = new Map<number, Views[]>();
  for (const count of counts) expected.set(count.minute, [...(expected.get(count.minute) ?? []), count]);
  const results = new Map(topPages.map(({ minute, top }) => [minute, listed(top)]));

  const differences: string[] = [];
  for (const minute of new Set([...expected.keys(), ...results.keys()])) {
    const ranked = (expected.get(minute) ?? []).sort((a, b) => b.views - a.views || (a.page < b.page ? -1 : 1));
    const should = listed(ranked.slice(0, RANKS));
    const is = results.get(minute) ?? 'missing';
    if (is !== should) differences.push(`${clock(minute)}: the top pages are ${is}, but should be ${should}`);
  }
  return differences;
}

function parse(text: string): { readonly event_type: string; readonly page: string; readonly timestamp: number } | undefined {
  try {
    const { user_id, event_type, page, timestamp } = JSON.parse(text) as Record<string, unknown>;
    const valid =
      typeof user_id === 'string' && typeof event_type === 'string' && typeof page === 'string' && typeof timestamp === 'number';
    return valid ? { event_type, page, timestamp } : undefined;
  } catch {
    return undefined;
  }
}

function listed(top: readonly Views[]): string {
  return top.map(({ page, views }) => `${page} ${views}`).join(', ');
}

function add(counts: Map<string, number>, where: string, views: number): void {
  counts.set(where, (counts.get(where) ?? 0) + views);
}

function place(page: string, timestamp: number): string {
  return `${clock(timestamp - (timestamp % MINUTE))} ${page}`;
}

function clock(minute: number): string {
  return new Date(minute).toISOString();
}
