import * as t from 'io-ts';
import {
  int64,
  internalTopic,
  json,
  keyValueStore,
  minutes,
  seconds,
  string,
  topic,
  windowStore,
  type Topic,
  type Topology,
} from 'millrace';
import { aggregateWithStore, countWithStore, to, windowTumbling, type LateRecord } from 'millrace/operators';
import { filter, map, merge, share, Subject } from 'rxjs';

const UserEvent = t.type({ user_id: t.string, event_type: t.string, page: t.string, timestamp: t.number });
type UserEvent = t.TypeOf<typeof UserEvent>;
const PageViews = t.type({ page: t.string, views: t.number });
export type PageViews = t.TypeOf<typeof PageViews>;

const perMinute = { size: minutes(1), grace: seconds(10) }; // the only place that says a minute
const viewsPerPage = windowStore('views-per-page', { key: string, value: int64, windows: perMinute });
const topTen = keyValueStore('top-ten', { key: int64, value: json(t.array(PageViews)) });
const countsByMinute = internalTopic('counts-by-minute', { key: int64, value: json(PageViews) });

/** Equal counts by name: the ten are then the same, whatever order the counts come in. */
const mostViewsFirst = (a: PageViews, b: PageViews): number => b.views - a.views || (a.page < b.page ? -1 : 1);

/** Page views per minute, and the ten most viewed pages of each minute. `name` begins the topics' names. */
export function pageAnalytics(name: string) {
  const userEvents = topic(`${name}-user-events`, {
    key: string,
    value: json(UserEvent),
    timestamp: (event) => event.timestamp,
    onDecodeError: 'skip',
  });
  const pageCounts = topic(`${name}-page-counts`, viewsPerPage.output);
  const topPages = topic(`${name}-top-pages`, topTen.output);
  const lateViews: Topic<string, UserEvent> = topic(`${name}-late-views`, userEvents);
  const viewsByPage = internalTopic('views-by-page', userEvents);

  const topology: Topology = ({ stream, store, repartition }) => {
    const late = new Subject<LateRecord<string, UserEvent>>();
    const counts = stream(userEvents).pipe(
      filter((event) => event.value.event_type === 'page_view'),
      repartition(viewsByPage, (view) => view.page),
      windowTumbling(perMinute),
      countWithStore(store(viewsPerPage), { emit: 'close', late }),
      share(),
    );
    const ranking = counts.pipe(
      map((count) => count.withKey(count.key.start).withValue({ page: count.key.key, views: count.value })),
      repartition(countsByMinute), // one minute, all its pages: from every partition to one
      aggregateWithStore(store(topTen), { initial: () => [], add: (top, page) => [...top, page].sort(mostViewsFirst).slice(0, 10) }),
    );
    return merge(
      counts.pipe(to(pageCounts)),
      ranking.pipe(to(topPages)),
      late.pipe(
        map(({ record }) => record),
        to(lateViews),
      ),
    );
  };

  return {
    topology,
    userEvents,
    pageCounts,
    topPages,
    lateViews,
    topics: [userEvents, pageCounts, topPages, lateViews],
    stores: [viewsPerPage, topTen],
    internalTopics: [viewsByPage, countsByMinute],
  };
}
