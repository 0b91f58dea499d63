/** Timers, ttl, deduplicate and suppress as programs write them, and the mistakes that types must catch. */
import * as t from 'io-ts';
import {
  countWithStore,
  deduplicate,
  hours,
  int64,
  json,
  keyValueStore,
  mapValues,
  minutes,
  nullable,
  processWithStore,
  seconds,
  sessionize,
  sessionStore,
  string,
  suppress,
  suppressStore,
  timerStore,
  to,
  topic,
  type Topology,
  windowStore,
  windowTumbling,
} from 'millrace';
import { memoryStore } from 'millrace/testing';

const Txn = t.type({ account: t.string, amount: t.number, id: t.string });
const Alert = t.type({ account: t.string, payments: t.number });
const payments = topic('payments', { key: string, value: json(Txn) });
const alerts = topic('alerts', { key: string, value: json(Alert) });

// Velocity per account: a processor with a durable timer per key.
const recent = keyValueStore('recent-payments', { key: string, value: json(t.array(t.number)) });
const quiet = timerStore('quiet-accounts', { key: string, clock: 'event' });
export const velocity: Topology = ({ stream, store }) =>
  stream(payments).pipe(
    processWithStore(
      { recent: store(recent), quiet: store(quiet) },
      {
        record: (payment, { recent, quiet }) => {
          const times = [...(recent.get(payment.key) ?? []), payment.timestamp].filter((time) => time > payment.timestamp - minutes(1));
          recent.put(payment.key, times);
          quiet.set(payment.key, payment.timestamp + minutes(1));
          return times.length > 5 ? [payment.withValue({ account: payment.key, payments: times.length })] : [];
        },
        timer: ({ key }, { recent }) => {
          recent.delete(key);
          return [];
        },
      },
    ),
    to(alerts),
  );

// What nobody has paid into for a day is forgotten.
const balances = keyValueStore('balances', { key: string, value: int64, ttl: hours(24) });
export const counted: Topology = ({ stream, store }) =>
  stream(payments).pipe(countWithStore(store(balances)), to(topic('balances', balances.output)));

// Each payment once.
const seen = keyValueStore('payments-seen', { key: string, value: int64 });
export const once: Topology = ({ stream, store }) =>
  stream(payments).pipe(deduplicate(store(seen), { within: hours(1), id: ({ id }) => id }), to(topic('once', payments)));
export const oncePerAccount: Topology = ({ stream, store }) =>
  stream(payments).pipe(deduplicate(store(seen), { within: hours(1) }), to(payments));

// One final count a minute and account.
const perMinute = { size: minutes(1), grace: seconds(10) };
const perAccount = windowStore('per-account', { key: string, value: int64, windows: perMinute });
const finalCounts = suppressStore('final-counts', perAccount.output);
export const finals: Topology = ({ stream, store }) =>
  stream(payments).pipe(
    windowTumbling(perMinute),
    countWithStore(store(perAccount)),
    suppress(store(finalCounts), { until: 'windowCloses' }),
    to(topic('counts', perAccount.output)),
  );

// Final sessions: nulls take sessions back, and none of them is final.
const visit = { gap: minutes(30) };
const visits = sessionStore('visits', { key: string, value: int64, windows: visit });
const finalVisits = suppressStore('final-visits', visits.output);
export const finalSessions: Topology = ({ stream, store }) =>
  stream(payments).pipe(
    sessionize(visit),
    countWithStore(store(visits)),
    suppress(store(finalVisits), { until: 'windowCloses', maxRecords: 100_000 }),
    to(topic('visits', visits.output)),
  );

// At most one count a minute and account.
const latest = suppressStore('latest', balances.output);
export const limited: Topology = ({ stream, store }) =>
  stream(payments).pipe(
    countWithStore(store(balances)),
    suppress(store(latest), { until: { limit: minutes(1) }, maxRecords: 10_000, maxBytes: 10_000_000, whenFull: 'emit' }),
    to(topic('balances', balances.output)),
  );

// ---- misuse that must not compile

// @ts-expect-error an id is a text
deduplicate<string, number>(memoryStore(seen), { within: 1, id: (value) => value });

// @ts-expect-error times are numbers
deduplicate(memoryStore(keyValueStore('seen', { key: string, value: string })), { within: 1 });

// @ts-expect-error for how long?
deduplicate(memoryStore(seen), {});

// @ts-expect-error a final result cannot be emitted early
suppress(memoryStore(finalCounts), { until: 'windowCloses', whenFull: 'emit' });

// @ts-expect-error until when?
suppress(memoryStore(finalCounts), { maxRecords: 1 });

// @ts-expect-error a key-value store holds nothing back
suppress(memoryStore(balances), { until: { limit: 1 } });

export const nullsAreReleased: Topology = ({ stream, store }) =>
  stream(payments).pipe(
    sessionize(visit),
    // @ts-expect-error until a limit nulls are released too: the store takes none
    countWithStore(store(visits)),
    suppress(store(finalVisits), { until: { limit: 1 } }),
    to(topic('visits', visits.output)),
  );

export const otherKeys: Topology = ({ stream, store }) =>
  stream(payments).pipe(
    // @ts-expect-error these results are not of windows
    mapValues(({ amount }) => amount),
    suppress(store(finalCounts), { until: 'windowCloses' }),
    to(topic('counts', perAccount.output)),
  );

// @ts-expect-error a clock is one of two
timerStore('timers', { key: string, clock: 'sun' });

// @ts-expect-error a ttl is a number of milliseconds
keyValueStore('rows', { key: string, value: nullable(int64), ttl: '1 day' });
