import * as t from 'io-ts';
import { json, minutes, sessionStore, string, topic, type Topology } from 'millrace';
import { aggregateWithStore, mapValues, sessionize, to, type LateRecord } from 'millrace/operators';
import { map, merge, Subject } from 'rxjs';
import { Click } from './clicks';

const Trail = t.type({ clicks: t.number, pages: t.array(t.string) });
const Engagement = t.type({ clicks: t.number, pages: t.array(t.string), durationMs: t.number });

/** The only place that says when a visit is over. */
export const visit = { gap: minutes(10), grace: minutes(20) };

/** How long each visit took, and which pages it saw, once it is over. `name` begins the topics' names. */
export function engagementSessions(name: string) {
  const trails = sessionStore('trails', {
    key: string,
    value: json(Trail),
    windows: visit,
  });
  const clicks = topic(`${name}-clicks`, { key: string, value: json(Click), timestamp: (click) => click.timestamp });
  const sessions = topic(`${name}-sessions`, { key: trails.output.key, value: json(Engagement) });
  const lateClicks = topic(`${name}-late-clicks`, { key: string, value: json(Click) });

  const topology: Topology = ({ stream, store }) => {
    const late = new Subject<LateRecord<string, Click>>();
    return merge(
      stream(clicks).pipe(
        sessionize(visit),
        aggregateWithStore(store(trails), {
          initial: () => ({ clicks: 0, pages: [] }),
          add: (trail, click) => ({ clicks: trail.clicks + 1, pages: distinct([...trail.pages, click.page]) }),
          merge: (a, b) => ({ clicks: a.clicks + b.clicks, pages: distinct([...a.pages, ...b.pages]) }),
          emit: 'close',
          late,
        }),
        mapValues((trail, { key }) => ({ ...trail, durationMs: key.end - key.start })),
        to(sessions),
      ),
      late.pipe(
        map(({ record }) => record),
        to(lateClicks),
      ),
    );
  };

  return { topology, clicks, sessions, lateClicks, topics: [clicks, sessions, lateClicks], stores: [trails], internalTopics: [] };
}

/** Sorted, so that it does not matter in which order sessions were merged. */
function distinct(pages: readonly string[]): string[] {
  return [...new Set(pages)].sort();
}
