import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { javaPartition } from '../java-partition';

/** One line of the stream as a web server would send it; the text need not be a valid event. */
export interface Click {
  readonly user: string;
  readonly text: string;
  /** A page view, and not malformed. */
  readonly pageView: boolean;
  /** Event time, ms since the epoch. */
  readonly timestamp: number;
}

export interface ClickStreamOptions {
  readonly seed: number;
  /** How many; default without end. */
  readonly events?: number;
}

const USERS = 1_000;
const PAGES = 200;
const EVENTS_PER_MINUTE = 2_000;
const BEGIN = Date.UTC(2025, 0, 1);

const SECTIONS = ['articles', 'products', 'help', 'offers'];
const pages = Array.from({ length: PAGES }, (_, rank) => `/${SECTIONS[rank % SECTIONS.length]}/${rank + 1}`);

/** The page of rank r is viewed in proportion to 1 / r: Zipf's law. Cumulated, to be searched. */
const zipf = pages.map((_, rank) => pages.slice(0, rank + 1).reduce((sum, _page, r) => sum + 1 / (r + 1), 0));

/** The same seed gives the same clicks, in order of arrival: one in twelve has been up to 20 s under way, one in 500 is malformed. */
export function* clickStream({ seed, events = Infinity }: ClickStreamOptions): Generator<Click> {
  const random = xoroshiro128plus(seed);
  const chance = (): number => uniformFloat64(random);
  let now = BEGIN;
  for (let i = 0; i < events; i++) {
    now += uniformInt(random, 0, (2 * 60_000) / EVENTS_PER_MINUTE);
    const underWay = chance() < 1 / 12 ? uniformInt(random, 0, 20_000) : 0;
    const timestamp = Math.max(BEGIN, now - underWay);
    const user = `user-${uniformInt(random, 1, USERS)}`;
    const event = { user_id: user, event_type: eventType(chance()), page: pageAt(chance()), timestamp };
    const spoilt = chance() < 1 / 500;
    const text = spoilt ? malformed(event, uniformInt(random, 0, 2)) : JSON.stringify(event);
    yield { user, text, pageView: !spoilt && event.event_type === 'page_view', timestamp };
  }
}

/**
 * Page views long after everything else, one on each partition of a topic keyed by page: they close every window there. Windows of their
 * own never close, so they are counted nowhere.
 */
export function flushClicks(lastTimestamp: number, partitions: number): Click[] {
  const timestamp = lastTimestamp + 120_000;
  return Array.from({ length: partitions }, (_, partition) => {
    const page = pageOnPartition(partition, partitions);
    const text = JSON.stringify({ user_id: 'flush', event_type: 'page_view', page, timestamp });
    return { user: 'flush', text, pageView: true, timestamp };
  });
}

function pageOnPartition(partition: number, partitions: number): string {
  for (let i = 0; ; i++) if (javaPartition(`/flush/${i}`, partitions) === partition) return `/flush/${i}`;
}

function eventType(chance: number): string {
  if (chance < 0.8) return 'page_view';
  return chance < 0.97 ? 'scroll' : 'purchase';
}

function pageAt(chance: number): string {
  const target = chance * zipf[PAGES - 1]!;
  let low = 0;
  let high = PAGES - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (zipf[middle]! > target) high = middle;
    else low = middle + 1;
  }
  return pages[low]!;
}

/** Cut off; a field missing; a field of another type. */
function malformed(event: Readonly<Record<string, unknown>>, how: number): string {
  if (how === 0) return JSON.stringify(event).slice(0, -8);
  return JSON.stringify(how === 1 ? { ...event, page: undefined } : { ...event, timestamp: String(event['timestamp']) });
}
