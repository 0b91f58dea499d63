import type { FaultKind } from './schedule';

/** What happened when, and how often each kind of fault did. */
export class Story {
  readonly #lines: string[] = [];
  readonly #faults = new Map<FaultKind, number>();
  readonly #failures = new Map<string, number>();
  readonly #generations = new Set<number>();

  constructor(
    private readonly elapsedMs: () => number,
    private readonly heard: (line: string) => void = () => undefined,
  ) {}

  tell(who: string, what: string): void {
    const line = `${(this.elapsedMs() / 1_000).toFixed(1).padStart(7)} s  ${who.padEnd(12)} ${what}`;
    this.#lines.push(line);
    this.heard(line);
  }

  /** It has taken place. */
  count(kind: FaultKind): void {
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + 1);
  }

  timesOf(kind: FaultKind): number {
    return this.#faults.get(kind) ?? 0;
  }

  /** An instance ended by itself. */
  failed(code: string): void {
    this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1);
  }

  joined(generation: number): void {
    this.#generations.add(generation);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** In the order of their names. */
  get faults(): Readonly<Record<string, number>> {
    return sorted(this.#faults);
  }

  get failures(): Readonly<Record<string, number>> {
    return sorted(this.#failures);
  }

  /** Generations of the group that anybody has joined; the first was no rebalance. */
  get rebalances(): number {
    return Math.max(0, this.#generations.size - 1);
  }
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
