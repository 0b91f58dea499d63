/** The longest time between two results, by when the brokers took them. */
export class Gaps {
  readonly #byPartition = new Map<number, number[]>();

  add(partition: number, taken: number): void {
    const times = this.#byPartition.get(partition);
    if (times === undefined) this.#byPartition.set(partition, [taken]);
    else times.push(taken);
  }

  /** Of all results together: how long nothing came out at all, ms. */
  get longest(): number {
    return longestOf([...this.#byPartition.values()].flat());
  }

  /** Of the partition that waited longest, ms. */
  get longestOfOne(): number {
    return [...this.#byPartition.values()].reduce((longest, times) => Math.max(longest, longestOf(times)), 0);
  }
}

function longestOf(times: readonly number[]): number {
  const inOrder = [...times].sort((a, b) => a - b);
  let longest = 0;
  for (let at = 1; at < inOrder.length; at++) longest = Math.max(longest, inOrder[at]! - inOrder[at - 1]!);
  return longest;
}
