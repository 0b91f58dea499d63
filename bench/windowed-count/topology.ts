import * as t from 'io-ts';
import { tap } from 'rxjs';
import { countWithStore, int64, json, minutes, seconds, string, to, topic, windowStore, windowTumbling, type Topology } from '../../src';

/** Topics, in a variable of the environment: threads have no arguments, and the same program runs in one and in several. */
const { input, output } = JSON.parse(process.env['MILLRACE_BENCH_TOPICS'] ?? '{}') as { readonly input: string; readonly output: string };

const Click = t.type({
  id: t.number,
  user: t.string,
  page: t.string,
  referrer: t.string,
  kind: t.string,
  at: t.number,
  amount: t.number,
});
const perMinute = { size: minutes(1), grace: seconds(10) };
const clicks = topic(input, { key: string, value: json(Click) });
const clicksPerUser = windowStore('clicks-per-user', { key: string, value: int64, windows: perMinute });
const counts = topic(output, clicksPerUser.output);

let begun = false;
const sayFirst = (): void => {
  if (begun) return;
  begun = true;
  process.stdout.write(`first ${Date.now()}\n`);
};

export const topology: Topology = ({ stream, store }) =>
  stream(clicks).pipe(tap(sayFirst), windowTumbling(perMinute), countWithStore(store(clicksPerUser), { emit: 'close' }), to(counts));
