import type { Temporal } from '@js-temporal/polyfill';
import { MillraceError } from '../errors/millrace-error';
import type { Duration } from '../model/duration';
import type { Window, WindowAssigner } from '../model/window';

/** ISO 8601's numbers of the days of a week. */
const DAY_OF_WEEK = { monday: 1, tuesday: 2, wednesday: 3, thursday: 4, friday: 5, saturday: 6, sunday: 7 } as const;

const UTC_DAY = 86_400_000;

/** Days of UTC whose windows are kept in memory: more than a year, in any order. */
const KNOWN_DAYS = 512;

/** Of `calendarDays` and `calendarMonths`. */
export interface CalendarOptions {
  /** A name of the IANA time zone database ('Europe/Berlin'), 'UTC', or an offset ('+05:30'). */
  readonly timeZone: string;
  /** ms that a window waits for late records after its end, >= 0, default 0. */
  readonly grace?: Duration;
}

/** Of `calendarWeeks`. */
export interface CalendarWeekOptions extends CalendarOptions {
  /** Default 'monday', as in ISO 8601. */
  readonly firstDay?: keyof typeof DAY_OF_WEEK;
}

/**
 * Windows of one calendar day in a time zone each: 24 hours long, and 23 or 25 when the clocks change.
 *
 * A day starts at its first instant: usually midnight, 01:00 where the clocks skip midnight (Sao Paulo in 2018, Cairo, Beirut), the first
 * of two midnights where they go back behind it. A date that a zone never had (Apia, 2011-12-30) is no window. Windows follow each other
 * without a gap; the first is cut, since none starts below 0. The rules of the zones are those of the Node that runs: when a government
 * changes them, days that are still open may end otherwise after an upgrade.
 *
 * @throws CONFIG for a time zone that is unknown. In the stream: INVALID_TIMESTAMP for times beyond the calendar's last year, 275760
 * @example
 * const days = calendarDays({ timeZone: 'America/New_York', grace: hours(1) });
 * const perDay = windowStore('views-per-day', { key: string, value: int64, windows: days });
 * stream(views).pipe(windowBy(days), countWithStore(store(perDay), { emit: 'close' }));
 * @see `Temporal.PlainDate.prototype.toZonedDateTime`, which says when a day starts
 */
export function calendarDays(options: CalendarOptions): WindowAssigner {
  return calendar('calendarDays', options, {
    firstDayOf: (date) => date,
    next: (date) => date.add({ days: 1 }),
  });
}

/**
 * Windows of one calendar week in a time zone each: seven days as those of `calendarDays`, from one `firstDay` to the next.
 *
 * @throws CONFIG for a time zone or a day that is unknown. In the stream: INVALID_TIMESTAMP for times beyond the calendar's last year
 * @example
 * const weeks = calendarWeeks({ timeZone: 'America/New_York', firstDay: 'sunday' });
 * const perWeek = windowStore('views-per-week', { key: string, value: int64, windows: weeks });
 * stream(views).pipe(windowBy(weeks), countWithStore(store(perWeek), { emit: 'close' }));
 */
export function calendarWeeks({ firstDay = 'monday', ...options }: CalendarWeekOptions): WindowAssigner {
  const first = DAY_OF_WEEK[firstDay] as number | undefined;
  if (first === undefined)
    throw refused('calendarWeeks', 'firstDay', `is ${firstDay}; it must be one of ${Object.keys(DAY_OF_WEEK).join(', ')}`);
  return calendar('calendarWeeks', options, {
    firstDayOf: (date) => date.subtract({ days: (date.dayOfWeek - first + 7) % 7 }),
    next: (date) => date.add({ days: 7 }),
  });
}

/**
 * Windows of one calendar month in a time zone each: the days of a month as those of `calendarDays`.
 *
 * @throws CONFIG for a time zone that is unknown. In the stream: INVALID_TIMESTAMP for times beyond the calendar's last year
 * @example
 * const months = calendarMonths({ timeZone: 'Europe/Berlin', grace: days(1) });
 * const perMonth = windowStore('views-per-month', { key: string, value: int64, windows: months });
 * stream(views).pipe(windowBy(months), countWithStore(store(perMonth), { emit: 'close' }));
 */
export function calendarMonths(options: CalendarOptions): WindowAssigner {
  return calendar('calendarMonths', options, {
    firstDayOf: (date) => date.with({ day: 1 }),
    next: (date) => date.add({ months: 1 }),
  });
}

interface Unit {
  /** The day that the unit which holds `date` starts with. */
  firstDayOf(date: Temporal.PlainDate): Temporal.PlainDate;
  /** The first day of the unit after the one that starts with `date`. */
  next(date: Temporal.PlainDate): Temporal.PlainDate;
}

function calendar(name: string, { timeZone, grace }: CalendarOptions, unit: Unit): WindowAssigner {
  const temporal = loadTemporal();
  try {
    temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timeZone);
  } catch (cause) {
    throw refused(name, 'timeZone', `is ${timeZone}; it must be the name of a time zone, such as 'Europe/Berlin'`, cause);
  }
  const windows = new CalendarWindows(new Boundaries(temporal, timeZone, unit));
  return { windowsOf: windows.windowsOf, endOf: windows.endOf, ...(grace !== undefined && { grace }) };
}

/** Loaded by whoever wants a calendar: it takes tens of ms. */
function loadTemporal(): typeof Temporal {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the only way to load it late without a promise
  return (require('@js-temporal/polyfill') as { readonly Temporal: typeof Temporal }).Temporal;
}

/** Keeps the windows of the days it was asked for, so that a record costs a look-up. */
class CalendarWindows {
  private readonly byUtcDay = new Map<number, readonly (readonly [Window])[]>();
  private last: readonly [Window] = [{ start: -1, end: -1 }];

  constructor(private readonly boundaries: Boundaries) {}

  readonly windowsOf = (timestamp: number): readonly Window[] => this.at(timestamp);

  readonly endOf = (start: number): number => this.at(start)[0].end;

  private at(timestamp: number): readonly [Window] {
    const { last } = this;
    if (timestamp >= last[0].start && timestamp < last[0].end) return last;
    const day = Math.floor(timestamp / UTC_DAY);
    let known = this.byUtcDay.get(day);
    if (known === undefined) {
      known = this.windowsWithin(day * UTC_DAY, timestamp);
      if (this.byUtcDay.size >= KNOWN_DAYS) this.byUtcDay.clear();
      this.byUtcDay.set(day, known);
    }
    return (this.last = known.find(([window]) => timestamp < window.end)!);
  }

  /** All that have an instant in common with the UTC day that starts at `from`. @param timestamp for the message */
  private windowsWithin(from: number, timestamp: number): (readonly [Window])[] {
    try {
      const windows: (readonly [Window])[] = [];
      for (let at = from; at < from + UTC_DAY; at = windows.at(-1)![0].end) windows.push([this.boundaries.around(at)]);
      return windows;
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new MillraceError('INVALID_TIMESTAMP', `the timestamp ${timestamp} is beyond the days of the calendar`, { cause });
    }
  }
}

class Boundaries {
  constructor(
    private readonly temporal: typeof Temporal,
    private readonly timeZone: string,
    private readonly unit: Unit,
  ) {}

  /** The window that holds an instant. */
  around(instant: number): Window {
    const { temporal, timeZone, unit } = this;
    let first = unit.firstDayOf(temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone).toPlainDate());
    let start = this.startOf(first);
    for (;;) {
      const next = unit.next(first);
      const end = this.startOf(next);
      if (instant < end) return { start: Math.max(0, start), end };
      // A date that the zone never had; or, when the clocks have gone back behind midnight, the second end of a day that is over.
      first = next;
      start = end;
    }
  }

  /** Without a time a date means its first instant. */
  private startOf(date: Temporal.PlainDate): number {
    return date.toZonedDateTime(this.timeZone).epochMilliseconds;
  }
}

function refused(name: string, option: string, problem: string, cause?: unknown): MillraceError {
  return new MillraceError('CONFIG', `${name}: the option ${option} ${problem}`, { cause, where: { option } });
}
