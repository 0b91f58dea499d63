import { ignoreElements } from 'rxjs';
import { keyValueStore, reduceWithStore, string, topic, windowStore, windowTumbling, type Topology } from '../../src';
import { WINDOW_MS, WINDOWS } from './rows';

/** Keeps the last row of each key, in a store of the kind that is measured. */
export interface Kind {
  readonly title: string;
  readonly topology: (input: string) => Topology;
  /** Bytes before the key in a key of LevelDB. */
  readonly keyAt: number;
}

const STORE = 'rows';
const lastRow = (_: string, next: string): string => next;
const inputOf = (name: string) => topic(name, { key: string, value: string });
const windows = { size: WINDOW_MS, grace: WINDOWS * WINDOW_MS };

export const kinds = {
  'key-value': {
    title: 'key-value store',
    topology: (input) => {
      const latest = keyValueStore(STORE, { key: string, value: string });
      return ({ stream, store }) => stream(inputOf(input)).pipe(reduceWithStore(store(latest), { reduce: lastRow }), ignoreElements());
    },
    keyAt: 3,
  },
  window: {
    title: 'window store',
    topology: (input) => {
      const latest = windowStore(STORE, { key: string, value: string, windows });
      return ({ stream, store }) =>
        stream(inputOf(input)).pipe(windowTumbling(windows), reduceWithStore(store(latest), { reduce: lastRow }), ignoreElements());
    },
    keyAt: 11,
  },
} as const satisfies Readonly<Record<string, Kind>>;

export type KindName = keyof typeof kinds;
