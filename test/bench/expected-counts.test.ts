import { clicks, GRACE_MS, MINUTE_MS, MINUTES, type ClicksOptions } from '../../bench/windowed-count/clicks';
import { ExpectedCounts, type FoundCount } from '../../bench/windowed-count/expected-counts';

const options: ClicksOptions = { records: 5_000, begin: 1_700_000_040_000 };
const expected = new ExpectedCounts(options);

/** Every count of a minute that has closed for everybody; written without the class under test. */
function rightCounts(): FoundCount[] {
  const last = options.begin + MINUTES * MINUTE_MS;
  const found = new Map<string, { user: string; start: number; count: number }>();
  for (const { user, at } of clicks(options)) {
    const start = at - (at % MINUTE_MS);
    if (start + MINUTE_MS + GRACE_MS >= last) continue;
    const result = found.get(`${user} ${start}`) ?? { user, start, count: 0 };
    result.count += 1;
    found.set(`${user} ${start}`, result);
  }
  return [...found.values()];
}

const right: readonly FoundCount[] = rightCounts();

describe('the check of the windowed count', () => {
  it('finds nothing wrong with the right counts, in any order', () => {
    expect(expected.differences([...right].reverse())).toEqual([]);
  });

  it('knows how many results there must be', () => {
    expect(expected.closedMinutes).toBe(right.length);
  });

  it('names a result that is missing', () => {
    expect(expected.differences(right.slice(1))).toEqual([expect.stringMatching(/^1 results missing /)]);
  });

  it('names a result that was found twice', () => {
    expect(expected.differences([...right, right[7]!])).toEqual([expect.stringMatching(/^1 results found twice /)]);
  });

  it('names a wrong count', () => {
    const [first, ...others] = right as [FoundCount, ...FoundCount[]];
    expect(expected.differences([{ ...first, count: first.count + 1 }, ...others])).toEqual([
      expect.stringMatching(/^1 results with a wrong count /),
    ]);
  });

  it('names results of a minute that is still open, of no minute and of nobody', () => {
    const lastMinute = options.begin + (MINUTES - 1) * MINUTE_MS;
    const user = [...clicks(options)].at(-1)!.user;
    const wrong = [
      { user, start: lastMinute, count: 1 },
      { user, start: options.begin + 1, count: 1 },
      { user: 'nobody', start: options.begin, count: 1 },
    ];
    expect(expected.differences([...right, ...wrong])).toEqual([expect.stringMatching(/^3 results of nobody/)]);
  });
});
