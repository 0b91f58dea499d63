/** Calendar days against a model that reads the whole history again for each output, and knows days by what Intl says of each quarter of an hour. */
import * as fc from 'fast-check';
import { windowBy } from '../../operators';
import type { Window } from '../../src/model/window';
import { calendarDays } from '../../src/time/calendar';
import { anyEmit, expectedOf, type Input, type Job, outcomeOf, someInputs } from './windows-model';

const QUARTER = 900_000;
const HOUR = 4 * QUARTER;

/** Zones with the UTC date of the day before a change of their clocks: by an hour there and back, by half an hour, at midnight. */
const CHANGES = {
  'Europe/Berlin': Date.UTC(2026, 2, 28),
  'America/New_York': Date.UTC(2026, 9, 31),
  'Australia/Lord_Howe': Date.UTC(2026, 3, 4),
  'Africa/Cairo': Date.UTC(2026, 3, 23),
};
const DAYS = 12;

/** Each zone's days from two before its change on. */
const daysOf = new Map(Object.entries(CHANGES).map(([timeZone, change]) => [timeZone, daysFrom(timeZone, change - 2 * 24 * HOUR)]));

function daysFrom(timeZone: string, from: number): readonly Window[] {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
  const midnights: number[] = [];
  for (let time = from, before = format.format(from - QUARTER); time < from + DAYS * 24 * HOUR; time += QUARTER) {
    const date = format.format(time);
    if (date !== before) midnights.push(time);
    before = date;
  }
  return midnights.slice(1).map((end, number) => ({ start: midnights[number]!, end }));
}

const zone = fc.constantFrom(...(Object.keys(CHANGES) as (keyof typeof CHANGES)[]));

describe('calendar days under disorder, grace and restarts', () => {
  it('give the results of the whole history, days of 23 and 25 hours included, and never open again', async () => {
    // Of six hours, most come to midnight itself.
    const unit = fc.constantFrom(HOUR, 6 * HOUR);
    const units = someInputs({ step: 4, behind: 12, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(zone, unit, fc.nat(6), anyEmit, units, async (timeZone, unit, graceUnits, emit, inputs) => {
        const grace = graceUnits * unit;
        const days = daysOf.get(timeZone)!;
        const moved = inputs
          .map((input): Input => ({ ...input, timestamp: days[0]!.start + input.timestamp * unit }))
          .filter(({ timestamp }) => timestamp < days.at(-1)!.end);
        const model: Job = {
          emit,
          grace,
          retention: undefined,
          windowsOf: (time) => days.filter(({ start, end }) => start <= time && time < end),
          shows: ({ end }, _greatest, streamTime) => end > streamTime - grace,
        };
        const assigner = calendarDays({ timeZone, grace });
        expect(await outcomeOf(model, assigner, windowBy(assigner), moved)).toEqual(expectedOf(model, moved));
      }),
      { numRuns: 150 },
    );
  });
});
