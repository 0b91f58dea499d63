/** One string for a topic and a partition, to be used as a map's key: `orders-3`. Unambiguous, because a partition is digits only. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}
