import type { MetricName, Metrics, MetricTags } from '../../model/metrics';

interface Added {
  readonly name: MetricName;
  readonly tags: MetricTags;
  amount: number;
}

/** What was counted, by name and tags. */
export class TestMetrics implements Metrics {
  private readonly all = new Map<string, Added>();

  add(name: MetricName, amount: number, tags: MetricTags): void {
    const id = `${name} ${JSON.stringify(tags)}`;
    const known = this.all.get(id);
    if (known === undefined) this.all.set(id, { name, tags, amount });
    else known.amount += amount;
  }

  /** The sum over everything that has these tags. */
  total(name: MetricName, tags: MetricTags): number {
    let sum = 0;
    for (const added of this.all.values()) {
      if (added.name === name && Object.entries(tags).every(([tag, value]) => added.tags[tag] === value)) sum += added.amount;
    }
    return sum;
  }
}
