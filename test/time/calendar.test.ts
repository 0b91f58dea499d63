import { of } from 'rxjs';
import { countWithStore, windowBy } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import type { Window, WindowAssigner } from '../../src/model/window';
import { windowStore } from '../../src/state/definition';
import { memoryStore, record } from '../../src/testing';
import { calendarDays, calendarMonths, calendarWeeks, type CalendarWeekOptions } from '../../src/time/calendar';
import { errorWith } from '../operators/errors';

const HOUR = 3_600_000;
const at = (instant: string): number => Date.parse(instant);

function around(assigner: WindowAssigner, instant: string): string {
  const [window] = assigner.windowsOf(at(instant)) as [Window];
  const iso = (time: number): string => new Date(time).toISOString().slice(0, 16);
  return `${iso(window.start)} + ${(window.end - window.start) / HOUR} h`;
}

describe('calendarDays', () => {
  it.each([
    ['UTC', '2024-02-29T23:59:59.999Z', '2024-02-29T00:00 + 24 h'],
    ['+05:30', '2024-01-01T00:00:00Z', '2023-12-31T18:30 + 24 h'],
    ['Europe/Berlin', '2024-03-31T12:00:00Z', '2024-03-30T23:00 + 23 h'],
    ['Europe/Berlin', '2024-03-31T22:00:00Z', '2024-03-31T22:00 + 24 h'],
    ['Europe/Berlin', '2024-10-27T12:00:00Z', '2024-10-26T22:00 + 25 h'],
    ['America/New_York', '2024-11-03T12:00:00Z', '2024-11-03T04:00 + 25 h'],
    ['Australia/Lord_Howe', '2024-10-06T02:00:00Z', '2024-10-05T13:30 + 23.5 h'],
  ])('are those of %s around %s: %s', (timeZone, instant, expected) => {
    expect(around(calendarDays({ timeZone }), instant)).toBe(expected);
  });

  it.each([
    ['America/Sao_Paulo', '2018-11-04T12:00:00Z', '2018-11-04T03:00 + 23 h'],
    ['Africa/Cairo', '2023-04-28T12:00:00Z', '2023-04-27T22:00 + 23 h'],
    ['Asia/Beirut', '2022-03-27T12:00:00Z', '2022-03-26T22:00 + 23 h'],
  ])('start at one where %s skips midnight: %s', (timeZone, instant, expected) => {
    expect(around(calendarDays({ timeZone }), instant)).toBe(expected);
  });

  it('go on through the midnight at which the clocks go back', () => {
    expect(around(calendarDays({ timeZone: 'America/Sao_Paulo' }), '2018-02-18T02:30:00Z')).toBe('2018-02-17T02:00 + 25 h');
  });

  it('start at the first of two midnights', () => {
    // At 00:01 of the 31st it was 23:01 of the 30th again.
    const days = calendarDays({ timeZone: 'America/St_Johns' });
    expect(around(days, '1999-10-31T02:29:59.999Z')).toBe('1999-10-30T02:30 + 24 h');
    expect(around(days, '1999-10-31T02:30:30Z')).toBe('1999-10-31T02:30 + 25 h');
    expect(around(days, '1999-10-31T03:00:00Z')).toBe('1999-10-31T02:30 + 25 h');
  });

  it('leave out a date that the zone never had', () => {
    const days = calendarDays({ timeZone: 'Pacific/Apia' });
    expect(around(days, '2011-12-30T09:59:59.999Z')).toBe('2011-12-29T10:00 + 24 h');
    expect(around(days, '2011-12-30T10:00:00Z')).toBe('2011-12-30T10:00 + 24 h');
  });

  it('start at 0 where the first of them began before', () => {
    const days = calendarDays({ timeZone: 'America/New_York' });
    expect(days.windowsOf(0)).toEqual([{ start: 0, end: 5 * HOUR }]);
    expect(days.endOf(0)).toBe(5 * HOUR);
  });

  it('are the same array for every instant of a day, asked in any order', () => {
    const days = calendarDays({ timeZone: 'Europe/Berlin' });
    const noon = at('2024-05-05T12:00:00Z');
    const first = days.windowsOf(noon);
    days.windowsOf(noon - 24 * HOUR);
    days.windowsOf(noon + 24 * HOUR);
    expect(days.windowsOf(noon + HOUR)).toBe(first);
  });

  it('forget days when there are too many, and are the same afterwards', () => {
    const days = calendarDays({ timeZone: 'UTC' });
    const day = 24 * HOUR;
    for (let n = 0; n < 600; n++) expect(days.windowsOf(n * day)[0]).toEqual({ start: n * day, end: (n + 1) * day });
    expect(days.windowsOf(5)[0]).toEqual({ start: 0, end: day });
  });

  it('count the records of a long day in one window', () => {
    const days = calendarDays({ timeZone: 'Europe/Berlin', grace: HOUR });
    const store = memoryStore(windowStore('per-day', { key: string, value: int64, windows: days }));
    const seen: string[] = [];
    const records = ['2024-10-26T22:00:00Z', '2024-10-27T22:59:59Z', '2024-10-27T23:00:00Z', '2024-10-28T00:00:00Z'].map((time) =>
      record('k', 'v', at(time)),
    );
    of(...records)
      .pipe(windowBy(days), countWithStore(store, { emit: 'close' }))
      .subscribe(({ key, value }) => seen.push(`${new Date(key.start).toISOString()} ${value}`));
    expect(seen).toEqual(['2024-10-26T22:00:00.000Z 2']);
  });

  it.each(['Nowhere/City', '', undefined, 'Berlin'])('refuse the time zone %p', (timeZone) => {
    expect(() => calendarDays({ timeZone: timeZone as string })).toThrow(
      errorWith({ code: 'CONFIG', message: `calendarDays: the option timeZone is ${timeZone};`, where: { option: 'timeZone' } }),
    );
  });

  it.each([8.64e15, 2 ** 53 - 1])('end with INVALID_TIMESTAMP at %d, beyond the last day that a calendar has', (timestamp) => {
    let error: unknown;
    of(record('k', 'v', timestamp))
      .pipe(windowBy(calendarDays({ timeZone: 'UTC' })))
      .subscribe({ error: (reason: unknown) => (error = reason) });
    expect(error).toEqual(
      errorWith({ code: 'INVALID_TIMESTAMP', message: `the timestamp ${timestamp} is beyond`, where: { operator: 'windowBy' } }),
    );
  });

  it('come back from a windowed key, and a key that no day starts at does not', () => {
    const days = calendarDays({ timeZone: 'America/Sao_Paulo' });
    const { key } = windowStore('per-day', { key: string, value: int64, windows: days }).output;
    const [window] = days.windowsOf(at('2018-11-04T12:00:00Z')) as [Window];
    expect(key.decode(key.encode({ key: 'k', ...window }) as Uint8Array)).toEqual({ _tag: 'Right', right: { key: 'k', ...window } });
    const beyond = key.encode({ key: 'k', start: 2 ** 53 - 1, end: Infinity }) as Uint8Array;
    expect(key.decode(beyond)).toEqual({ _tag: 'Left', left: errorWith({ code: 'DECODE' }) });
  });
});

describe('calendarWeeks', () => {
  it.each<readonly [CalendarWeekOptions['firstDay'], string]>([
    [undefined, '2024-03-24T23:00 + 167 h'],
    ['monday', '2024-03-24T23:00 + 167 h'],
    ['sunday', '2024-03-30T23:00 + 167 h'],
    ['saturday', '2024-03-29T23:00 + 167 h'],
  ])('start on the first day, here %s', (firstDay, expected) => {
    const weeks = calendarWeeks({ timeZone: 'Europe/Berlin', ...(firstDay !== undefined && { firstDay }) });
    // A Sunday, the day the clocks go forward.
    expect(around(weeks, '2024-03-31T12:00:00Z')).toBe(expected);
  });

  it('refuse a day that is none', () => {
    const options = { timeZone: 'UTC', firstDay: 'someday' } as unknown as CalendarWeekOptions;
    expect(() => calendarWeeks(options)).toThrow(
      errorWith({ code: 'CONFIG', message: 'the option firstDay is someday; it must be one of monday', where: { option: 'firstDay' } }),
    );
  });
});

describe('calendarMonths', () => {
  it.each([
    ['2024-02-10T12:00:00Z', `2024-01-31T23:00 + ${29 * 24} h`],
    ['2024-03-10T12:00:00Z', `2024-02-29T23:00 + ${31 * 24 - 1} h`],
    ['2024-10-31T22:59:59Z', `2024-09-30T22:00 + ${31 * 24 + 1} h`],
    ['2023-12-31T23:00:00Z', `2023-12-31T23:00 + ${31 * 24} h`],
  ])('hold the days of a month in the time zone: %s', (instant, expected) => {
    expect(around(calendarMonths({ timeZone: 'Europe/Berlin' }), instant)).toBe(expected);
  });
});
