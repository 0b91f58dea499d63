import { readFileSync } from 'node:fs';
import * as t from 'io-ts';

export const Airport = t.type({
  /** Three letters or digits. */
  iata: t.string,
  name: t.string,
  city: t.string,
  /** Two letters. */
  state: t.string,
});
export type Airport = t.TypeOf<typeof Airport>;

/** 3,376 airports, nearly all in the USA, from the package vega-datasets. */
export function loadAirports(): Airport[] {
  const text = readFileSync(require.resolve('vega-datasets/data/airports.csv'), 'utf8');
  const [, ...lines] = text.split(/\r?\n/).filter((line) => line !== '');
  return lines.map((line) => {
    const [iata = '', name = '', city = '', state = ''] = fieldsOf(line);
    return { iata, name, city, state };
  });
}

/** Of one line of CSV. Fields with commas stand in quotes; no field of these has a quote or a line break in it. */
function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}
