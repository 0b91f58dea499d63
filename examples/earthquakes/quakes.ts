import { readFileSync } from 'node:fs';
import * as t from 'io-ts';

export const Quake = t.type({
  id: t.string,
  /** The last part of where it was: a state of the USA, a country or a part of an ocean. */
  region: t.string,
  magnitude: t.number,
  /** When the earth shook, ms since the epoch. */
  time: t.number,
  /** When the catalogue's entry was last changed: that is when this entry arrived. */
  updated: t.number,
});
export type Quake = t.TypeOf<typeof Quake>;

interface Catalogue {
  readonly features: readonly {
    readonly id: string;
    readonly properties: { readonly mag: number; readonly place: string; readonly time: number; readonly updated: number };
  }[];
}

/** Some places are written in two ways. */
const FULL_NAMES: Readonly<Record<string, string>> = { CA: 'California', NV: 'Nevada', MX: 'Mexico' };

/**
 * The 1,707 seismic events of the week until 7 February 2018 in the catalogue of the US Geological Survey, from the package vega-datasets,
 * in the order in which their entries took their last form: after a quarter of an hour where no human looked at them, else after ten hours
 * (medians).
 */
export function loadQuakes(): Quake[] {
  const text = readFileSync(require.resolve('vega-datasets/data/earthquakes.json'), 'utf8');
  const { features } = JSON.parse(text) as Catalogue;
  return features.map(toQuake).sort((a, b) => a.updated - b.updated);
}

function toQuake({ id, properties: { mag, place, time, updated } }: Catalogue['features'][number]): Quake {
  const last = place.slice(place.lastIndexOf(', ') + 1).trim();
  return { id, region: FULL_NAMES[last] ?? last, magnitude: mag, time, updated };
}
