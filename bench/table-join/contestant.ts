import * as t from 'io-ts';
import { tap } from 'rxjs';
import { joinTable, json, millrace, string, to, topic, type Topology } from '../../src';
import { Enriched, Profile } from './profiles';

/**
 * Clicks with the profile of their user: a program as a user would write it. Prints `first` and the time of day in ms at the first click, and
 * ends when its standard input ends.
 */
const [brokers, applicationId, input, output, stateDirectory, users] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
];

const Click = t.type({
  id: t.number,
  user: t.string,
  page: t.string,
  referrer: t.string,
  kind: t.string,
  at: t.number,
  amount: t.number,
});
const clicks = topic(input, { key: string, value: json(Click) });
const profiles = topic(users, { key: string, value: json(Profile) });
const enriched = topic(output, { key: string, value: json(Enriched) });

let begun = false;
const sayFirst = (): void => {
  if (begun) return;
  begun = true;
  process.stdout.write(`first ${Date.now()}\n`);
};

const topology: Topology = ({ stream, table }) =>
  stream(clicks).pipe(
    tap(sayFirst),
    joinTable(table(profiles), ({ id, kind, page, user }, { name, country, tier }) => ({ id, kind, page, user, name, country, tier })),
    to(enriched),
  );

const app = millrace({ applicationId, brokers: brokers.split(','), stateDirectory });
app.run(topology).subscribe({
  error: (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
});
process.stdin.on('end', () => void app.close()).resume();
