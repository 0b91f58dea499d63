// page-views.ts
import * as t from 'io-ts';
import {
  int64,
  internalTopic,
  json,
  minutes,
  seconds,
  string,
  timerStore,
  topic,
  windowStore,
  type KafkaRecord,
  type Topology,
} from 'millrace';
import { countWithStore, processWithStore, to, windowTumbling, type LateRecord } from 'millrace/operators';
import { map, merge, Subject } from 'rxjs';

const View = t.type({ page: t.string });
type View = t.TypeOf<typeof View>;

export const views = topic('views', { key: string, value: json(View) }); // key: the user
const viewsByPage = internalTopic('views-by-page', views);

export const perMinute = { size: minutes(1), grace: seconds(10) };
export const viewsPerPage = windowStore('views-per-page', { key: string, value: int64, windows: perMinute });
export const pageCounts = topic('page-counts', viewsPerPage.output);
export const lateViews = topic('late-views', views);

const patience = timerStore('patience', { key: string, clock: 'wall' });
export const goodbyes = topic('goodbyes', { key: string, value: string });

export const topology: Topology = ({ stream, store, repartition, clock }) => {
  const late = new Subject<LateRecord<string, View>>();
  return merge(
    stream(views).pipe(
      repartition(viewsByPage, (view) => view.page),
      windowTumbling(perMinute),
      countWithStore(store(viewsPerPage), { emit: 'close', late }),
      to(pageCounts),
    ),
    late.pipe(
      map(({ record }) => record),
      to(lateViews),
    ),
    stream(views).pipe(
      processWithStore(
        { patience: store(patience) },
        {
          record: ({ key }, stores): KafkaRecord<string, string>[] => {
            stores.patience.set(key, clock.now() + minutes(30));
            return [];
          },
          timer: ({ record }) => [record('gone for half an hour')],
        },
      ),
      to(goodbyes),
    ),
  );
};
