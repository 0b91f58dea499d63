import {
  countWithStore,
  type Emit,
  sessionize,
  to,
  windowBy,
  windowEvery,
  windowHopping,
  windowSliding,
  windowTumbling,
} from '../../operators';
import { nullable } from '../../src/codec/nullable';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { days, hours, seconds } from '../../src/model/duration';
import type { Windows } from '../../src/model/window';
import { sessionStore, windowStore } from '../../src/state/definition';
import type { Topology } from '../../src/task/topology';
import { calendarDays } from '../../src/time/calendar';

export const kindNames = ['tumbling', 'hopping', 'sliding', 'sessions', 'every', 'calendar'] as const;
export type KindName = (typeof kindNames)[number];

/** Records are a millisecond apart, on the average: a minute holds 60,000 of them. */
const MINUTE = { size: seconds(60), grace: seconds(10) };

export interface Kind {
  readonly title: string;
  readonly topology: (emit: Emit) => Topology;
  /** ms of event time for each ms between the records. */
  readonly pace: number;
}

const clicks = topic('clicks', { key: string, value: int64 });

const hopping = { ...MINUTE, advance: seconds(10) };
const sliding = { difference: seconds(5), grace: seconds(10) };
const visit = { gap: seconds(5), grace: seconds(10) };
const tens = { records: 10 };
const berlin = calendarDays({ timeZone: 'Europe/Berlin', grace: hours(4) });

const inWindows = (windows: Windows) => windowStore('counts', { key: string, value: int64, windows });
const perMinute = inWindows(MINUTE);
const perHop = inWindows(hopping);
const perSlide = inWindows(sliding);
const perTen = inWindows(tens);
const perDay = inWindows(berlin);
const perVisit = sessionStore('counts', { key: string, value: int64, windows: visit });
const results = topic('results', perMinute.output);
const visits = topic('results', { key: perVisit.output.key, value: nullable(int64) });

/** All count by key. */
export const kinds: Readonly<Record<KindName, Kind>> = {
  tumbling: {
    title: 'tumbling, a minute',
    pace: 1,
    topology:
      (emit) =>
      ({ stream, store }) =>
        stream(clicks).pipe(windowTumbling(MINUTE), countWithStore(store(perMinute), { emit }), to(results)),
  },
  hopping: {
    title: 'hopping, a minute every 10 s',
    pace: 1,
    topology:
      (emit) =>
      ({ stream, store }) =>
        stream(clicks).pipe(windowHopping(hopping), countWithStore(store(perHop), { emit }), to(results)),
  },
  sliding: {
    title: 'sliding, 5 s',
    pace: 1,
    topology:
      (emit) =>
      ({ stream, store }) =>
        stream(clicks).pipe(windowSliding(sliding), countWithStore(store(perSlide), { emit }), to(results)),
  },
  sessions: {
    title: 'sessions, gap 5 s',
    pace: 1,
    topology:
      (emit) =>
      ({ stream, store }) =>
        stream(clicks).pipe(sessionize(visit), countWithStore(store(perVisit), { emit }), to(visits)),
  },
  every: {
    title: 'every 10 records',
    pace: 1,
    topology:
      (emit) =>
      ({ stream, store }) =>
        stream(clicks).pipe(windowEvery(tens), countWithStore(store(perTen), { emit }), to(results)),
  },
  calendar: {
    title: 'calendar days, Berlin',
    pace: days(1) / MINUTE.size,
    topology:
      (emit) =>
      ({ stream, store }) =>
        stream(clicks).pipe(windowBy(berlin), countWithStore(store(perDay), { emit }), to(results)),
  },
};
