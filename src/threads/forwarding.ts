import type { Logger } from '../model/logger';
import type { MetricName, Metrics, MetricTags } from '../model/metrics';
import type { Clock, TimerHandle } from '../time/clock';
import type { FromWorker, LogLevel, MetricAdded } from './messages';

type Post = (message: FromWorker) => void;

/** A logger whose lines are written in the main thread. Fields that cannot cross are told in words. */
export function forwardedLogger(post: Post): Logger {
  const at =
    (level: LogLevel) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      try {
        post({ type: 'log', level, fields, message });
      } catch {
        const told = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
        post({ type: 'log', level, fields: told, message });
      }
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** ms for which counts are gathered before they cross. */
const GATHER_MS = 100;

/** Metrics that are added in the main thread, gathered by name and tags; what is no count (a duration) crosses one by one. */
export class ForwardedMetrics implements Metrics {
  private readonly counts = new Map<string, MetricAdded>();
  private others: MetricAdded[] = [];
  private timer: TimerHandle | undefined;

  constructor(
    private readonly post: Post,
    private readonly clock: Clock,
  ) {}

  add(name: MetricName, amount: number, tags: MetricTags): void {
    if (name.endsWith('-total')) {
      const key = [name, ...Object.entries(tags).flat()].join('\0');
      const [, before] = this.counts.get(key) ?? [name, 0];
      this.counts.set(key, [name, before + amount, tags]);
    } else this.others.push([name, amount, tags]);
    this.timer ??= this.clock.setTimer(GATHER_MS, () => {
      this.flush();
    });
  }

  flush(): void {
    this.timer?.cancel();
    this.timer = undefined;
    const added = [...this.counts.values(), ...this.others];
    this.counts.clear();
    this.others = [];
    if (added.length > 0) this.post({ type: 'metrics', added });
  }
}
