/** What is in the first list more often than in the second, as often as it is too much. */
export function onlyInFirst(first: readonly string[], second: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of second) left.set(line, (left.get(line) ?? 0) + 1);
  return first.filter((line) => {
    const times = left.get(line) ?? 0;
    left.set(line, times - 1);
    return times <= 0;
  });
}
