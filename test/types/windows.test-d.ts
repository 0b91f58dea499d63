/** Windows and cogroups as programs write them, and the mistakes that types must catch. */
import * as t from 'io-ts';
import { merge, type Observable } from 'rxjs';
import {
  calendarDays,
  calendarWeeks,
  cogroupWithStore,
  countWithStore,
  grouped,
  hours,
  int64,
  json,
  type KafkaRecord,
  keyValueStore,
  minutes,
  seconds,
  sessionize,
  sessionStore,
  string,
  to,
  topic,
  type Topology,
  type WindowAssigner,
  windowBy,
  windowHopping,
  windowStore,
  windowTumbling,
} from 'millrace';
import { memoryStore } from 'millrace/testing';

const Click = t.type({ user: t.string, page: t.string });
const Order = t.type({ id: t.string, amount: t.number });
const clicks = topic('clicks', { key: string, value: json(Click) });
const orders = topic('orders', { key: string, value: json(Order) });

// Views of the last hour, every ten minutes.
const lastHour = { size: hours(1), advance: minutes(10), grace: seconds(30) };
const viewsLastHour = windowStore('views-last-hour', { key: string, value: int64, windows: lastHour });
export const rolling: Topology = ({ stream, store }) =>
  stream(clicks).pipe(windowHopping(lastHour), countWithStore(store(viewsLastHour)), to(topic('last-hour', viewsLastHour.output)));

// Views of a day in Berlin, and of a week that starts on Sunday.
const days = calendarDays({ timeZone: 'Europe/Berlin', grace: hours(1) });
const weeks = calendarWeeks({ timeZone: 'America/New_York', firstDay: 'sunday' });
const viewsPerDay = windowStore('views-per-day', { key: string, value: int64, windows: days });
const viewsPerWeek = windowStore('views-per-week', { key: string, value: int64, windows: weeks });
export const calendars: Topology = ({ stream, store }) =>
  merge(
    stream(clicks).pipe(windowBy(days), countWithStore(store(viewsPerDay), { emit: 'close' }), to(topic('per-day', viewsPerDay.output))),
    stream(clicks).pipe(windowBy(weeks), countWithStore(store(viewsPerWeek)), to(topic('per-week', viewsPerWeek.output))),
  );

// Windows of one's own.
const from = Date.UTC(2024, 0, 1);
const since: WindowAssigner = {
  windowsOf: (time) => (time < from ? [] : [{ start: from, end: Infinity }]),
  endOf: () => Infinity,
};
const viewsSince = windowStore('views-since', { key: string, value: int64, windows: since });
export const sinceThen: Topology = ({ stream, store }) =>
  stream(clicks).pipe(windowBy(since), countWithStore(store(viewsSince)), to(topic('since', viewsSince.output)));

// Two topics, one aggregate; by key and in windows.
const Customer = t.type({ orders: t.number, clicks: t.number });
type Customer = t.TypeOf<typeof Customer>;
const customers = keyValueStore('customers', { key: string, value: json(Customer) });
const customersPerHour = windowStore('customers-per-hour', { key: string, value: json(Customer), windows: { size: hours(1) } });
const customersPerVisit = sessionStore('customers-per-visit', { key: string, value: json(Customer), windows: { gap: hours(1) } });
const initial = (): Customer => ({ orders: 0, clicks: 0 });
export const profile: Topology = ({ stream, store }) =>
  cogroupWithStore(store(customers), {
    initial,
    of: [
      grouped(stream(orders), (customer: Customer, order) => ({ ...customer, orders: customer.orders + order.amount })),
      grouped(stream(clicks), (customer: Customer, click, record) => ({
        ...customer,
        clicks: customer.clicks + click.page.length + record.timestamp,
      })),
    ],
  }).pipe(to(topic('customers', customers.output)));
export const profilePerHour: Topology = ({ stream, store }) =>
  cogroupWithStore(store(customersPerHour), {
    initial,
    of: [
      grouped(stream(orders).pipe(windowTumbling({ size: hours(1) })), (customer: Customer) => customer),
      grouped(stream(clicks).pipe(windowTumbling({ size: hours(1) })), (customer: Customer, click) => ({
        ...customer,
        clicks: customer.clicks + click.page.length,
      })),
    ],
    emit: 'close',
  }).pipe(to(topic('customers-per-hour', customersPerHour.output)));

export const profilePerVisit: Topology = ({ stream, store }) =>
  cogroupWithStore(store(customersPerVisit), {
    initial,
    merge: (a, b) => ({ orders: a.orders + b.orders, clicks: a.clicks + b.clicks }),
    of: [
      grouped(stream(orders).pipe(sessionize({ gap: hours(1) })), (customer: Customer) => customer),
      grouped(stream(clicks).pipe(sessionize({ gap: hours(1) })), (customer: Customer) => customer),
    ],
    emit: 'close',
  }).pipe(to(topic('customers-per-visit', customersPerVisit.output)));

// @ts-expect-error hopping windows say how far they hop
windowHopping({ size: 10 });

// @ts-expect-error an assigner has two functions
windowBy({ windowsOf: () => [] });

// @ts-expect-error a calendar has a time zone
calendarDays({});

// @ts-expect-error there is no such day
calendarWeeks({ timeZone: 'UTC', firstDay: 'someday' });

declare const orderStream: Observable<KafkaRecord<string, t.TypeOf<typeof Order>>>;
const same = (customer: Customer): Customer => customer;
const plain = grouped(orderStream, same);
const windowed = grouped(orderStream.pipe(windowTumbling({ size: hours(1) })), same);
const counting = grouped(orderStream, (count: number) => count + 1);

// @ts-expect-error a window store needs streams in windows
cogroupWithStore(memoryStore(customersPerHour), { initial, of: [plain] });

// @ts-expect-error a key-value store has no windows
cogroupWithStore(memoryStore(customers), { initial, of: [windowed] });

// @ts-expect-error the aggregate is a customer
cogroupWithStore(memoryStore(customers), { initial, of: [counting] });

// @ts-expect-error a key-value store has no windows to close
cogroupWithStore(memoryStore(customers), { initial, of: [plain], emit: 'close' });

// @ts-expect-error the value is an order
grouped(orderStream, (customer: Customer, click: t.TypeOf<typeof Click>) => ({ ...customer, clicks: click.page.length }));

// @ts-expect-error what is added gives a customer again
grouped(orderStream, (customer: Customer) => customer.orders);
