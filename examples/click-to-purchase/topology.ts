import * as t from 'io-ts';
import { hours, joinStore, json, minutes, string, topic, type Topology } from 'millrace';
import { joinStream, to, type LateJoinRecord } from 'millrace/operators';
import { filter, map, merge, Subject } from 'rxjs';
import { Click, Purchase } from './events';

const Attribution = t.type({
  click: Click,
  /** Null: nothing was bought within the hour. */
  purchase: t.union([Purchase, t.null]),
});
export type Attribution = t.TypeOf<typeof Attribution>;

/** The only place that says how long after a click a purchase counts as its, and how long is waited for one that is under way. */
export const attributionWindow = { before: 0, after: hours(1), grace: minutes(10) };

/**
 * Clicks with each purchase of the same user within the hour, and those that led to none alone, once none can come any more. `name` begins
 * the topics' names.
 *
 * What is late depends on the order in which clicks and purchases are taken. It is decided by their times: a task pushes the older one of
 * the two that are next in its partitions, and waits for a topic as long as it has records that have not been read (`maxTaskIdle` 0).
 */
export function clickToPurchase(name: string) {
  const attribution = joinStore('attribution', { key: string, left: json(Click), right: json(Purchase), windows: attributionWindow });
  const clicks = topic(`${name}-clicks`, { key: string, value: json(Click), timestamp: (click) => click.timestamp });
  const purchases = topic(`${name}-purchases`, { key: string, value: json(Purchase), timestamp: (purchase) => purchase.timestamp });
  const attributions = topic(`${name}-attributions`, { key: string, value: json(Attribution) });
  const lateClicks = topic(`${name}-late-clicks`, clicks);
  const latePurchases = topic(`${name}-late-purchases`, purchases);

  const topology: Topology = ({ stream, store }) => {
    const late = new Subject<LateJoinRecord<string, Click, Purchase>>();
    return merge(
      stream(clicks).pipe(
        joinStream(stream(purchases), store(attribution), (click, purchase) => ({ click, purchase: purchase ?? null }), {
          kind: 'left',
          late,
        }),
        to(attributions),
      ),
      late.pipe(
        filter((what) => what.side === 'left'),
        map(({ record }) => record),
        to(lateClicks),
      ),
      late.pipe(
        filter((what) => what.side === 'right'),
        map(({ record }) => record),
        to(latePurchases),
      ),
    );
  };

  return {
    topology,
    clicks,
    purchases,
    attributions,
    lateClicks,
    latePurchases,
    topics: [clicks, purchases, attributions, lateClicks, latePurchases],
    stores: [attribution],
    internalTopics: [],
  };
}
