/** What was found wrong, with some examples in words. */
export interface Findings {
  lost: number;
  doubled: number;
  /** Later counts before earlier ones. */
  disordered: number;
  readonly examples: string[];
}

const EXAMPLES = 20;

export function noFindings(): Findings {
  return { lost: 0, doubled: 0, disordered: 0, examples: [] };
}

export function exemplify({ examples }: Findings, what: string): void {
  if (examples.length < EXAMPLES) examples.push(what);
}

/** Of each key the counts that came out must be 1, 2, 3 … to the number of its records, in that order, each once. */
export function compareSequences(
  what: string,
  expected: ReadonlyMap<string, number>,
  found: ReadonlyMap<string, readonly number[]>,
  findings: Findings,
): void {
  for (const [key, last] of expected) {
    const counts = found.get(key) ?? [];
    const times = new Map<number, number>();
    let before = 0;
    let disordered = 0;
    for (const count of counts) {
      times.set(count, (times.get(count) ?? 0) + 1);
      if (count < before) disordered++;
      before = count;
    }
    let lost = 0;
    for (let count = 1; count <= last; count++) if (!times.has(count)) lost++;
    // Beyond the last one too: it has been counted more often than it is there.
    let doubled = 0;
    for (const [count, often] of times) doubled += count >= 1 && count <= last ? often - 1 : often;
    add(findings, lost, doubled, disordered);
    if (lost + doubled + disordered > 0) {
      exemplify(
        findings,
        `${what} ${key}: ${last} expected, lost ${lost}, doubled ${doubled}, out of order ${disordered}; ended with ${before}`,
      );
    }
  }
  for (const [key, counts] of found) {
    if (expected.has(key)) continue;
    add(findings, 0, counts.length, 0);
    exemplify(findings, `${what} ${key}: ${counts.length} results, none expected`);
  }
}

/** Each must be there as often as expected. */
export function compareTimes(
  what: string,
  expected: ReadonlyMap<string, number>,
  found: ReadonlyMap<string, number>,
  findings: Findings,
): void {
  for (const key of new Set([...expected.keys(), ...found.keys()])) {
    const [wanted, there] = [expected.get(key) ?? 0, found.get(key) ?? 0];
    if (wanted === there) continue;
    add(findings, Math.max(0, wanted - there), Math.max(0, there - wanted), 0);
    exemplify(findings, `${what} ${key}: ${there} times, not ${wanted}`);
  }
}

function add(findings: Findings, lost: number, doubled: number, disordered: number): void {
  findings.lost += lost;
  findings.doubled += doubled;
  findings.disordered += disordered;
}
