import { clickStream, flushClicks } from '../../../examples/page-analytics/click-stream';
import { partitionFor } from '../../../src/kafka/partitioner';

const clicks = (seed: number) => [...clickStream({ seed, events: 20_000 })];
const some = clicks(1);

describe('clickStream', () => {
  it('gives the same clicks for the same seed, others for another', () => {
    expect(clicks(1)).toEqual(some);
    expect(clicks(2)).not.toEqual(some);
  });

  it('goes on where it was, without an end', () => {
    const endless = clickStream({ seed: 1 });
    const first = Array.from({ length: 20_000 }, () => endless.next().value as unknown);
    expect(first).toEqual(some);
  });

  it('has some clicks out of order, by 20 s at most', () => {
    let latest = 0;
    const behind: number[] = [];
    for (const { timestamp } of some) {
      if (timestamp < latest) behind.push(latest - timestamp);
      latest = Math.max(latest, timestamp);
    }
    expect(behind.length).toBeGreaterThan(1_000);
    expect(behind.length).toBeLessThan(2_500);
    expect(Math.max(...behind)).toBeLessThanOrEqual(20_000);
  });

  it('has a few malformed ones: no JSON, a field missing, a field of another type', () => {
    const problems = some.map(({ text }) => problemOf(text));
    expect(new Set(problems)).toEqual(new Set(['none', 'no JSON', 'no page', 'timestamp is a string']));
    expect(problems.filter((problem) => problem !== 'none').length).toBeLessThan(100);
  });

  it('marks the page views that are not malformed', () => {
    const isPageView = (text: string): boolean =>
      problemOf(text) === 'none' && (JSON.parse(text) as { event_type: string }).event_type === 'page_view';
    expect(some.filter(({ text, pageView }) => pageView !== isPageView(text))).toEqual([]);
    expect(some.filter(({ pageView }) => pageView).length).toBeGreaterThan(10_000);
  });

  it('views pages by rank: the first twice as often as the second, ten times as often as the tenth', () => {
    const views = new Map<string, number>();
    for (const { text, pageView } of some) {
      if (!pageView) continue;
      const { page } = JSON.parse(text) as { page: string };
      views.set(page, (views.get(page) ?? 0) + 1);
    }
    const first = views.get('/articles/1')!;
    expect(first / views.get('/products/2')!).toBeCloseTo(2, 0);
    expect(Math.abs(first / views.get('/products/10')! - 10)).toBeLessThan(2);
  });
});

describe('flushClicks', () => {
  it.each([1, 4, 7])('has one page view for each of %i partitions, later than any window waits', (partitions) => {
    const flush = flushClicks(1_000_000, partitions);
    const pages = flush.map(({ text }) => (JSON.parse(text) as { page: string }).page);
    expect(pages.map((page) => partitionFor(page, partitions))).toEqual(Array.from({ length: partitions }, (_, i) => i));
    // A window ends at most a minute after its last record, and waits ten seconds.
    for (const { timestamp } of flush) expect(timestamp).toBeGreaterThanOrEqual(1_000_000 + 70_000);
  });
});

function problemOf(text: string): string {
  let event: { page?: unknown; timestamp?: unknown };
  try {
    event = JSON.parse(text) as typeof event;
  } catch {
    return 'no JSON';
  }
  if (event.page === undefined) return 'no page';
  return typeof event.timestamp === 'number' ? 'none' : `timestamp is a ${typeof event.timestamp}`;
}
