import { ExpectedJoins, type FoundJoin } from '../../bench/table-join/expected-joins';
import { clicks, type ClicksOptions } from '../../bench/windowed-count/clicks';

const options: ClicksOptions = { records: 2_000, begin: 1_700_000_040_000 };
const expected = new ExpectedJoins(options);

const COUNTRIES = ['DE', 'FR', 'US', 'GB', 'PL', 'JP', 'BR', 'IN'];
const TIERS = ['free', 'silver', 'gold'];

/** Written without the class under test, and without the profiles it reads. */
const right: readonly FoundJoin[] = [...clicks(options)].map(({ id, user, kind, page }) => {
  const number = Number(user.slice(5));
  const row = { name: `Name of ${number}`, country: COUNTRIES[number % 8]!, tier: TIERS[number % 3]! };
  return { key: user, value: { id, kind, page, user, ...row } };
});

describe('the check of the table join', () => {
  it('finds nothing wrong with the right results, in any order', () => {
    expect(expected.differences([...right].reverse())).toEqual([]);
  });

  it('names a result that is missing', () => {
    expect(expected.differences(right.slice(1))).toEqual([expect.stringMatching(/^1 results missing /)]);
  });

  it('names a result that was found twice', () => {
    expect(expected.differences([...right, right[7]!])).toEqual([expect.stringMatching(/^1 results found twice /)]);
  });

  it.each([
    ['another key', { key: 'user-000000x' }],
    ['the row of another user', { value: { ...right[0]!.value, name: 'Name of nobody' } }],
    ['no country', { value: { ...right[0]!.value, country: '' } }],
    ['another click', { value: { ...right[0]!.value, page: '/elsewhere' } }],
  ])('names a result with %s', (_, change) => {
    const [first, ...others] = right as [FoundJoin, ...FoundJoin[]];
    expect(expected.differences([{ ...first, ...change }, ...others])).toEqual([expect.stringMatching(/^1 results that are wrong /)]);
  });

  it('names a result of no click', () => {
    const beyond = { ...right[0]!, value: { ...right[0]!.value, id: 2_000 } };
    expect(expected.differences([...right, beyond])).toEqual([expect.stringMatching(/^1 results of no click /)]);
  });
});
