/** Calendar windows against the dates that Intl gives, an instant at a time. */
import * as fc from 'fast-check';
import type { Window, WindowAssigner } from '../../src/model/window';
import { calendarDays, calendarMonths, calendarWeeks } from '../../src/time/calendar';

/** Summer and winter, both hemispheres, offsets of half and quarter hours, skipped midnights, skipped dates. */
const ZONES = [
  ...[
    'UTC',
    'Europe/Berlin',
    'Europe/London',
    'Europe/Dublin',
    'Africa/Casablanca',
    'America/New_York',
    'America/Los_Angeles',
    'America/St_Johns',
  ],
  ...[
    'America/Sao_Paulo',
    'America/Havana',
    'America/Asuncion',
    'America/Santiago',
    'Africa/Cairo',
    'Asia/Beirut',
    'Asia/Gaza',
    'Asia/Tehran',
  ],
  ...[
    'Asia/Kolkata',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'Pacific/Chatham',
    'Pacific/Apia',
    'Pacific/Kwajalein',
    'Pacific/Kiritimati',
  ],
];

/** Here the clocks have gone back from the first minutes of a day into the day before: a date is not one stretch of time. */
const TWO_MIDNIGHTS = new Set(['America/St_Johns', 'Asia/Gaza', 'Asia/Tehran']);

const DAY = 86_400_000;
const LAST = Date.UTC(2037, 11, 31);

const calendars = new Map(ZONES.map((timeZone) => [timeZone, calendarDays({ timeZone })]));
const formats = new Map(
  ZONES.map((timeZone) => [timeZone, new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })]),
);

const zone = fc.constantFrom(...ZONES);
/** Half of them near a day on which clocks change somewhere. */
const instant = fc.oneof(
  fc.integer({ min: 0, max: LAST }),
  fc
    .record({
      year: fc.integer({ min: 1970, max: 2037 }),
      month: fc.constantFrom(1, 2, 3, 8, 9, 10),
      offset: fc.integer({ min: 0, max: 31 * DAY }),
    })
    .map(({ year, month, offset }) => Date.UTC(year, month, 1) + offset),
);

const windowAt = (days: WindowAssigner, time: number): Window => {
  const windows = days.windowsOf(time);
  expect(windows).toHaveLength(1);
  return windows[0]!;
};

describe('calendar days', () => {
  it('cover every instant once, and each starts where the one before it ends', () => {
    fc.assert(
      fc.property(zone, instant, (timeZone, time) => {
        const days = calendars.get(timeZone)!;
        const { start, end } = windowAt(days, time);
        expect(start <= time && time < end).toBe(true);
        expect(days.endOf(start)).toBe(end);
        for (const inside of [start, end - 1]) expect(windowAt(days, inside)).toEqual({ start, end });
        expect(windowAt(days, end).start).toBe(end);
        if (start > 0) expect(windowAt(days, start - 1).end).toBe(start);
      }),
      { numRuns: 100 },
    );
  });

  it('are the same whatever was asked before', () => {
    fc.assert(
      fc.property(zone, fc.array(instant, { maxLength: 4 }), instant, (timeZone, before, time) => {
        const fresh = calendarDays({ timeZone });
        for (const other of before) fresh.windowsOf(other);
        expect(fresh.windowsOf(time)).toEqual(calendars.get(timeZone)!.windowsOf(time));
      }),
      { numRuns: 30 },
    );
  });

  it('hold one date each, as Intl tells the date', () => {
    fc.assert(
      fc.property(
        zone.filter((timeZone) => !TWO_MIDNIGHTS.has(timeZone)),
        instant,
        (timeZone, time) => {
          const dateOf = (at: number): string => formats.get(timeZone)!.format(at);
          const { start, end } = windowAt(calendars.get(timeZone)!, time);
          expect([start, time, end - 1].map(dateOf)).toEqual([dateOf(time), dateOf(time), dateOf(time)]);
          expect(dateOf(end)).not.toBe(dateOf(time));
          if (start > 0) expect(dateOf(start - 1)).not.toBe(dateOf(time));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('make up weeks and months', () => {
    fc.assert(
      fc.property(zone, instant, fc.constantFrom(calendarWeeks, calendarMonths), (timeZone, time, unit) => {
        const days = calendars.get(timeZone)!;
        const longer = unit({ timeZone });
        const { start, end } = windowAt(longer, time);
        expect(start <= time && time < end).toBe(true);
        expect([windowAt(days, start).start, windowAt(days, end).start]).toEqual([start, end]);
        expect(windowAt(longer, end).start).toBe(end);
      }),
      { numRuns: 40 },
    );
  });
});
