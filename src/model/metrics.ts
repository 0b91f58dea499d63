/** Names as in Kafka Streams' metrics, so that dashboards carry over. Counters unless said otherwise. */
export type MetricName =
  | 'process-total'
  | 'dropped-records-total'
  | 'skipped-records-total'
  | 'commit-total'
  | 'commit-latency-ms'
  | 'restore-records-total'
  | 'standby-records-total'
  | 'rebalance-total'
  | 'abort-total';

/** What is counted apart: `task`, `operator`, `reason`, `table`, as the name needs. */
export type MetricTags = Readonly<Record<string, string>>;

/** The port counters go through; a backend (Prometheus, say) is somebody else's adapter. */
export interface Metrics {
  add(name: MetricName, amount: number, tags: MetricTags): void;
}
