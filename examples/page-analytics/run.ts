import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { millrace, string, topic, type Cluster, type KafkaRecord, type RunOptions } from 'millrace';
import { record } from 'millrace/testing';
import { lastValueFrom, tap } from 'rxjs';
import { withoutTrace } from '../without-trace';
import { clickStream, flushClicks, type Click } from './click-stream';
import type { Display } from './display';
import { judge, type Verdict } from './oracle';
import { Scoreboard } from './scoreboard';
import { pageAnalytics } from './topology';

export interface DemoOptions {
  readonly cluster: Cluster;
  readonly seed: number;
  /** Ends the run early, with everything closed and removed. */
  readonly signal: AbortSignal;
  readonly display: Display;
}

const PARTITIONS = 4;
const BATCH = 200;
const BATCH_EVERY_MS = 200;

/** Generates, processes and checks `events` events. Undefined when the signal ended it before. */
export function runAndCheck(events: number, options: DemoOptions): Promise<Verdict | undefined> {
  const { cluster, seed, signal } = options;
  return withoutTrace(freshDemo(cluster), async (stateDirectory, demo) => {
    const sent = { pageViews: 0 };
    await cluster.write(demo.clicks, toRecords(withFlush(clickStream({ seed, events }), sent)));
    const skipped = await process(demo, { ...options, stateDirectory, total: sent.pageViews }, { until: 'caught-up' });
    if (signal.aborted) return undefined;
    const [counts, late, topPages] = await Promise.all([
      cluster.read(demo.pageCounts),
      cluster.read(demo.lateViews),
      cluster.read(demo.topPages),
    ]);
    return judge({
      sent: textsOf(clickStream({ seed, events })),
      counts: counts.map(({ key, value }) => ({ page: key.key, minute: key.start, views: value })),
      late: late.map(({ key, timestamp }) => ({ page: key, timestamp })),
      topPages: topPages.map(({ key, value }) => ({ minute: key, top: value })),
      skipped,
    });
  });
}

/** Generates and processes until the signal ends it. */
export function runForever(options: DemoOptions): Promise<void> {
  const { cluster, seed } = options;
  return withoutTrace(freshDemo(cluster), async (stateDirectory, demo) => {
    const failed = new AbortController();
    const signal = AbortSignal.any([options.signal, failed.signal]);
    const stream = clickStream({ seed });
    const generating = async (): Promise<void> => {
      while (!signal.aborted) {
        await cluster.write(demo.clicks, toRecords(take(stream, BATCH)));
        await pause(BATCH_EVERY_MS, undefined, { signal }).catch(() => undefined);
      }
    };
    const both = [process(demo, { ...options, signal, stateDirectory, total: undefined }), generating()];
    for (const part of both) part.catch(() => failed.abort());
    await Promise.all(both);
  });
}

/** A demo with names of its own, so that any number of them can run on one broker. */
function freshDemo(cluster: Cluster) {
  const applicationId = `page-analytics-${randomUUID().slice(0, 8)}`;
  const analytics = pageAnalytics(applicationId);
  const clicks = topic(analytics.userEvents.name, { key: string, value: string });
  return { ...analytics, clicks, cluster, applicationId, partitions: PARTITIONS };
}

interface ProcessOptions extends DemoOptions {
  readonly stateDirectory: string;
  readonly total: number | undefined;
}

/** Runs the application to its end and gives the number of records it skipped. */
async function process(demo: ReturnType<typeof freshDemo>, options: ProcessOptions, runOptions?: RunOptions): Promise<number> {
  const { cluster, stateDirectory, signal, display } = options;
  if (signal.aborted) return 0;
  let skipped = 0;
  const metrics = {
    add: (name: string, amount: number): void => {
      if (name === 'skipped-records-total') skipped += amount;
    },
  };
  const app = millrace({ applicationId: demo.applicationId, cluster, stateDirectory, metrics });
  const board = new Scoreboard(options.total);
  app.outputs(demo.pageCounts).subscribe(({ value }) => board.viewed(value));
  app.outputs(demo.lateViews).subscribe(() => board.viewed(1));
  app.outputs(demo.topPages).subscribe(({ key, value }) => board.ranked({ minute: key, top: value }));
  const close = (): void => void app.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    const commits = app.run(demo.topology, runOptions).pipe(tap(() => display.show(board)));
    await lastValueFrom(commits, { defaultValue: undefined });
  } finally {
    signal.removeEventListener('abort', close);
    await app.close();
    display.end(board);
  }
  return skipped;
}

/** The clicks, then those that close their last windows; counts the page views on the way. */
function* withFlush(clicks: Iterable<Click>, sent: { pageViews: number }): Iterable<Click> {
  let last = 0;
  for (const click of clicks) {
    if (click.pageView) sent.pageViews += 1;
    last = Math.max(last, click.timestamp);
    yield click;
  }
  yield* flushClicks(last, PARTITIONS);
}

function* toRecords(clicks: Iterable<Click>): Iterable<KafkaRecord<string, string>> {
  for (const { user, text, timestamp } of clicks) yield record(user, text, timestamp);
}

function* textsOf(clicks: Iterable<Click>): Iterable<string> {
  for (const { text } of clicks) yield text;
}

/** Unlike for-of, it leaves the iterator open: the next call goes on. */
function* take<T>(iterator: Iterator<T>, count: number): Iterable<T> {
  for (let i = 0; i < count; i++) {
    const next = iterator.next();
    if (next.done === true) return;
    yield next.value;
  }
}
