import { createRequire } from 'node:module';
import type * as CliProgress from 'cli-progress';
import { type Observable, Subscription } from 'rxjs';
import { MillraceError } from '../errors/millrace-error';
import type { RestoreProgress } from '../model/restore-progress';

/** Loaded only when bars are drawn: the package is optional. */
const load = createRequire(__filename);

const FORMAT = '{name} {bar} {percentage} %  {rate}/s  {remaining}';
const NAME_WIDTH = 24;

/**
 * Draws `app.restores$` on a terminal: one bar for each store and global table that is being restored, gone when it is done. On anything else
 * than a terminal it draws nothing; the log has a line a second. Ends with the observable, or with the subscription that is given back.
 *
 * @param stream default `process.stderr`
 * @throws CONFIG when the package cli-progress is not installed
 * @example restoreBar(app.restores$);
 */
export function restoreBar(restores$: Observable<RestoreProgress>, stream: NodeJS.WritableStream = process.stderr): Subscription {
  if (!('isTTY' in stream) || stream.isTTY !== true) return new Subscription();
  const bars = new Bars(stream);
  const subscription = restores$.subscribe({
    next: (progress) => {
      bars.show(progress);
    },
  });
  // However it ends.
  subscription.add(() => {
    bars.end();
  });
  return subscription;
}

class Bars {
  private readonly all: CliProgress.MultiBar;
  private readonly byStore = new Map<string, CliProgress.SingleBar>();

  constructor(stream: NodeJS.WritableStream) {
    const { MultiBar } = cliProgress();
    // The application has its own ways to end: signals are not the bars' business.
    this.all = new MultiBar({
      stream,
      format: FORMAT,
      barsize: 30,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
      emptyOnZero: true,
    });
  }

  show(progress: RestoreProgress): void {
    const { task, store, records, left, rate, remaining, done } = progress;
    const name = task === undefined ? store : `${task} ${store}`;
    const known = this.byStore.get(name);
    if (done) {
      this.byStore.delete(name);
      if (known !== undefined) this.all.remove(known);
      return;
    }
    const said = { name: name.slice(0, NAME_WIDTH).padEnd(NAME_WIDTH), rate: rounded(rate), remaining: minutesAndSeconds(remaining) };
    const bar = known ?? this.all.create(records + left, records, said);
    this.byStore.set(name, bar);
    // A restore that was cut off begins again with fewer; offsets that hold no record were counted before they were read.
    bar.setTotal(records + left);
    bar.update(records, said);
  }

  end(): void {
    this.all.stop();
  }
}

function rounded(rate: number): string {
  return (rate < 10_000 ? String(rate) : `${Math.round(rate / 1_000)}k`).padStart(5);
}

function minutesAndSeconds(ms: number): string {
  if (ms === Infinity) return '-:--';
  const seconds = Math.ceil(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function cliProgress(): typeof CliProgress {
  try {
    return load('cli-progress') as typeof CliProgress;
  } catch (cause) {
    throw new MillraceError(
      'CONFIG',
      'restoreBar needs the package cli-progress, which cannot be loaded; install it: npm install cli-progress',
      {
        cause,
      },
    );
  }
}
