import type { CheckedConfig } from '../config';
import type { GlobalRows } from '../state/global-rows';
import type { Clock } from '../time/clock';

/** ms between two lines about how far a table has come. */
const PROGRESS_INTERVAL_MS = 1_000;

/** Says how far a table has come while it is loaded, at most once a second. */
export class LoadProgress {
  rows = 0;
  private readonly since: number;
  private saidAt: number;

  constructor(
    private readonly options: { readonly clock: Clock; readonly config: Pick<CheckedConfig, 'logger'> },
    private readonly table: string,
    private readonly ends: readonly number[],
    private readonly position: Pick<GlobalRows, 'position'>,
  ) {
    this.since = this.saidAt = options.clock.monotonic();
  }

  applied(rows: number): void {
    const { clock, config } = this.options;
    const { table } = this;
    this.rows += rows;
    const now = clock.monotonic();
    if (now - this.saidAt < PROGRESS_INTERVAL_MS) return;
    this.saidAt = now;
    const left = this.ends.reduce((sum, end, partition) => sum + Math.max(0, end - this.position.position(partition)), 0);
    const rate = Math.round((1_000 * this.rows) / (now - this.since));
    config.logger.info({ table, rows: this.rows, left, rate }, `global table "${table}": ${this.rows} rows read, ${left} offsets left`);
  }
}
