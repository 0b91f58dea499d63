export interface Outcome {
  /** Family and case. */
  readonly name: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  readonly lines: readonly string[];
}

export function expectEqual(lines: string[], what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) lines.push(`${what}: ${String(actual)}, should be ${String(expected)}`);
}
