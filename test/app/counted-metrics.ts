import type { MetricName, Metrics } from '../../src';

/** Metrics that a test can look at. */
export interface CountedMetrics extends Metrics {
  total(name: MetricName): number;
}

export function countedMetrics(): CountedMetrics {
  const totals = new Map<MetricName, number>();
  return {
    add: (name, amount) => {
      totals.set(name, (totals.get(name) ?? 0) + amount);
    },
    total: (name) => totals.get(name) ?? 0,
  };
}
