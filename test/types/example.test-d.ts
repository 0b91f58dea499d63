/** The program the design begins with compiles as it is written there, so far as its operators exist. */
import * as t from 'io-ts';
import { filter, merge, tap } from 'rxjs';
import {
  aggregateWithStore,
  countWithStore,
  int64,
  internalTopic,
  json,
  keyValueStore,
  mapValues,
  millrace,
  minutes,
  seconds,
  string,
  to,
  topic,
  type Topology,
  windowStore,
  windowTumbling,
} from 'millrace';

const PageView = t.type({ user: t.string, page: t.string, kind: t.string });

const pageViews = topic('page-views', { key: string, value: json(PageView) });
const viewsByPage = internalTopic('views-by-page', pageViews);

const perMinute = { size: minutes(1), grace: seconds(10) };
const countPerPage = windowStore('page-counts', { key: string, value: int64, windows: perMinute });
const pageCounts = topic('page-counts', countPerPage.output);

const totalPerUser = keyValueStore('totals', { key: string, value: int64 });
const totals = topic('totals', totalPerUser.output);

export const topology: Topology = ({ stream, store, repartition }) => {
  const views = stream(pageViews).pipe(filter((view) => view.value.kind === 'page_view'));
  return merge(
    views.pipe(
      repartition(viewsByPage, (view) => view.page),
      windowTumbling(perMinute),
      countWithStore(store(countPerPage), { emit: 'close' }),
      to(pageCounts),
    ),
    views.pipe(
      aggregateWithStore(store(totalPerUser), { initial: () => 0, add: (total, view) => total + view.page.length }),
      tap((record) => record.value.toFixed(0)),
      mapValues((total) => total + 1),
      to(totals),
    ),
  );
};

export const spine: Topology = ({ stream, store, repartition }) =>
  stream(pageViews).pipe(
    filter((view) => view.value.kind === 'page_view'),
    repartition(viewsByPage, (view) => view.page),
    windowTumbling(perMinute),
    aggregateWithStore(store(countPerPage), { initial: () => 0, add: (n) => n + 1, emit: 'close' }),
    to(pageCounts),
  );

const app = millrace({ applicationId: 'page-analytics', brokers: ['localhost:9092'] });
app.outputs(pageCounts).subscribe(({ key, value }) => [key.key.length, key.start.toFixed(), value.toFixed()]);
app.run(topology).subscribe();
