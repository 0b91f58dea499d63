import { readFileSync } from 'node:fs';
import * as t from 'io-ts';

export const Flight = t.type({
  origin: t.string,
  destination: t.string,
  /** When it should have left by the plan: local time in the data, read as UTC; ms since the epoch. */
  scheduled: t.number,
  /** Minutes; negative: early. */
  delay: t.number,
});
export type Flight = t.TypeOf<typeof Flight>;

interface Row {
  /** Scheduled, such as `2001/01/13 14:56`. */
  readonly date: string;
  readonly delay: number;
  readonly origin: string;
  readonly destination: string;
}

/** 20,000 US flights of early 2001 from the package vega-datasets, in the order they came in; ties as they are in the file. */
export function loadFlights(): Flight[] {
  const text = readFileSync(require.resolve('vega-datasets/data/flights-20k.json'), 'utf8');
  const rows = JSON.parse(text) as readonly Row[];
  return rows.map(toFlight).sort((a, b) => arrival(a) - arrival(b));
}

function toFlight({ date, delay, origin, destination }: Row): Flight {
  const [day = '', time = ''] = date.split(' ');
  return { origin, destination, delay, scheduled: Date.parse(`${day.replaceAll('/', '-')}T${time}Z`) };
}

function arrival({ scheduled, delay }: Flight): number {
  return scheduled + delay * 60_000;
}
