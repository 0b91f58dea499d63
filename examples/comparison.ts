interface Writable {
  write(text: string): unknown;
}

const SHOWN = 10;

/** Says how a run compares to the plain loop over the same input. Gives the exit code: 0 only without a difference. */
export function reportComparison(differences: readonly string[], { out, err }: { readonly out: Writable; readonly err: Writable }): 0 | 1 {
  if (differences.length === 0) {
    out.write('checked: a plain loop over the same input gives the same\n');
    return 0;
  }
  err.write(`WRONG: ${differences.length} differences to a plain loop over the same input\n`);
  for (const difference of differences.slice(0, SHOWN)) err.write(`  ${difference}\n`);
  if (differences.length > SHOWN) err.write(`  and ${differences.length - SHOWN} more\n`);
  return 1;
}
