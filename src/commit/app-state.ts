/** 'degraded': something is wrong but others go on (a partition is paused). 'failed' and 'closed' are final. */
export type AppState = 'created' | 'rebalancing' | 'running' | 'degraded' | 'draining' | 'failed' | 'closed';
