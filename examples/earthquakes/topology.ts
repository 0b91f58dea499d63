import * as t from 'io-ts';
import { hours, json, string, topic, windowStore, type Duration, type Topology } from 'millrace';
import { aggregateWithStore, to, windowTumbling, type LateRecord } from 'millrace/operators';
import { map, merge, Subject } from 'rxjs';
import { Quake } from './quakes';

const Activity = t.type({ quakes: t.number, strongest: t.number });
/** `hour`: the start of the window that had closed. `lateness`: ms that the quake lay behind the watermark. */
const LateQuake = t.type({ quake: Quake, hour: t.number, watermark: t.number, lateness: t.number });

const perHour = { size: hours(1) };

/**
 * Quakes and the greatest magnitude per region and hour, once the hour is over: no quake is expected any more that was more than
 * `outOfOrderness` before another of its partition. Those that come yet go to a topic of their own. `name` begins the topics' names.
 */
export function earthquakes(name: string, outOfOrderness: Duration) {
  const activityPerRegion = windowStore('activity-per-region', { key: string, value: json(Activity), windows: perHour });
  const quakes = topic(`${name}-quakes`, {
    key: string,
    value: json(Quake),
    timestamp: (quake) => quake.time, // not the record's own: that is when it arrived
    watermark: { outOfOrderness },
  });
  const activity = topic(`${name}-activity`, activityPerRegion.output);
  const lateQuakes = topic(`${name}-late-quakes`, { key: string, value: json(LateQuake) });

  const topology: Topology = ({ stream, store }) => {
    const late = new Subject<LateRecord<string, Quake>>();
    return merge(
      stream(quakes).pipe(
        windowTumbling(perHour),
        aggregateWithStore(store(activityPerRegion), {
          initial: () => ({ quakes: 0, strongest: -Infinity }),
          add: (sum, { magnitude }) => ({ quakes: sum.quakes + 1, strongest: Math.max(sum.strongest, magnitude) }),
          emit: 'close',
          late,
        }),
        to(activity),
      ),
      late.pipe(
        map(({ record, window, watermark, lateness }) =>
          record.withValue({ quake: record.value, hour: window.start, watermark, lateness }),
        ),
        to(lateQuakes),
      ),
    );
  };

  return {
    topology,
    quakes,
    activity,
    lateQuakes,
    topics: [quakes, activity, lateQuakes],
    stores: [activityPerRegion],
    internalTopics: [],
  };
}
