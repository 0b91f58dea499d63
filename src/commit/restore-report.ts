import type { Logger } from '../model/logger';
import type { RestoredSoFar, RestoreProgress } from '../model/restore-progress';
import type { StoreProgress } from '../state/restore';
import type { Clock } from '../time/clock';

/** ms between two events of one store. */
const EVENT_INTERVAL_MS = 100;
/** ms between two lines in the log. */
const LINE_INTERVAL_MS = 1_000;

export interface RestoreReportOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly emit: (progress: RestoreProgress) => void;
  /** Undefined: a global table is loaded. */
  readonly task?: number;
}

/** One store, from its first report on. */
interface Reported {
  records: number;
  left: number;
  done: boolean;
  readonly since: number;
  emittedAt: number;
}

/**
 * Tells how far one task's restore, or one global table, has come: as events, of each store at its first and last report and at most ten a
 * second between them, and in the log, at most once a second.
 */
export class RestoreReport {
  private readonly stores = new Map<string, Reported>();
  private since = 0;
  private saidAt = 0;

  constructor(private readonly options: RestoreReportOptions) {}

  readonly progress = ({ store, topic, records, left, done }: StoreProgress): void => {
    const now = this.options.clock.monotonic();
    if (this.stores.size === 0) this.since = this.saidAt = now;
    const known = this.stores.get(store);
    const reported = known ?? { records, left, done, since: now, emittedAt: now };
    if (known === undefined) this.stores.set(store, reported);
    Object.assign(reported, { records, left, done });
    if (known === undefined || done || now - reported.emittedAt >= EVENT_INTERVAL_MS) {
      reported.emittedAt = now;
      this.emit(store, topic, reported, now);
    }
    if (done && this.ofTask(now).done) this.sayDone(now);
    else if (now - this.saidAt >= LINE_INTERVAL_MS) this.say(now);
  };

  private emit(store: string, topic: string, reported: Reported, now: number): void {
    const { task, emit } = this.options;
    const ofTask = this.ofTask(now);
    emit({ ...(task !== undefined && { task }), store, topic, ...soFar(reported, now - reported.since), ofTask });
  }

  private ofTask(now: number): RestoredSoFar {
    const all = [...this.stores.values()];
    const sum = (of: (each: Reported) => number): number => all.reduce((total, each) => total + of(each), 0);
    const done = all.every((each) => each.done);
    return soFar({ records: sum(({ records }) => records), left: sum(({ left }) => left), done }, now - this.since);
  }

  private say(now: number): void {
    const { task, logger } = this.options;
    this.saidAt = now;
    const { records, left, rate, remaining } = this.ofTask(now);
    const what = task === undefined ? `global table "${[...this.stores.keys()].join()}"` : `task ${task} is being restored`;
    logger.info(
      { ...(task === undefined ? { table: [...this.stores.keys()].join() } : { task }), records, left, rate, remaining },
      `${what}: ${records} records read, ${left} offsets left, about ${Math.ceil(remaining / 1_000)} s`,
    );
  }

  /** Of a global table, its owner says so. */
  private sayDone(now: number): void {
    const { task, logger } = this.options;
    if (task === undefined) return;
    const { records } = this.ofTask(now);
    logger.info({ task, records, ms: Math.round(now - this.since) }, `task ${task} is restored: ${records} records read`);
  }
}

function soFar({ records, left, done }: Pick<RestoredSoFar, 'records' | 'left' | 'done'>, ms: number): RestoredSoFar {
  const rate = ms > 0 ? Math.round((1_000 * records) / ms) : 0;
  const remaining = left === 0 ? 0 : rate === 0 ? Infinity : Math.round((1_000 * left) / rate);
  return { records, left, rate, remaining, done };
}
