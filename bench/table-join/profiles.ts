import * as t from 'io-ts';
import { userName, USERS } from '../windowed-count/clicks';

/** A row of the table: every user has one. */
export const Profile = t.type({ user: t.string, name: t.string, country: t.string, tier: t.string, since: t.number });
export type Profile = t.TypeOf<typeof Profile>;

/** A click with what its user's row adds. */
export const Enriched = t.type({
  id: t.number,
  kind: t.string,
  page: t.string,
  user: t.string,
  name: t.string,
  country: t.string,
  tier: t.string,
});
export type Enriched = t.TypeOf<typeof Enriched>;

const COUNTRIES = ['DE', 'FR', 'US', 'GB', 'PL', 'JP', 'BR', 'IN'];
const TIERS = ['free', 'silver', 'gold'];
const FIRST_MEMBER_MS = 1_600_000_000_000;

export function profileOf(user: number): Profile {
  return {
    user: userName(user),
    name: `Name of ${user}`,
    country: COUNTRIES[user % COUNTRIES.length]!,
    tier: TIERS[user % TIERS.length]!,
    since: FIRST_MEMBER_MS + user * 1_000,
  };
}

export function* profiles(): Generator<Profile> {
  for (let user = 0; user < USERS; user++) yield profileOf(user);
}
