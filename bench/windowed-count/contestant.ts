import * as t from 'io-ts';
import { tap } from 'rxjs';
import {
  countWithStore,
  int64,
  json,
  millrace,
  minutes,
  seconds,
  string,
  to,
  topic,
  windowStore,
  windowTumbling,
  type Topology,
} from '../../src';

/**
 * Clicks per user and minute, emitted when the minute closes: a program as a user would write it. Prints `first` and the time of day in ms at
 * the first record, and ends when its standard input ends.
 */
const [brokers, applicationId, input, output, stateDirectory] = process.argv.slice(2) as [string, string, string, string, string];

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

const topology: Topology = ({ stream, store }) =>
  stream(clicks).pipe(tap(sayFirst), windowTumbling(perMinute), countWithStore(store(clicksPerUser), { emit: 'close' }), to(counts));

const app = millrace({ applicationId, brokers: brokers.split(','), stateDirectory });
app.run(topology).subscribe({
  error: (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
});
process.stdin.on('end', () => void app.close()).resume();
