import { judge, type Observed } from '../../../examples/page-analytics/oracle';

const MINUTE = 60_000;
const event = (page: string, timestamp: number, event_type = 'page_view') => JSON.stringify({ user_id: 'u', event_type, page, timestamp });

/** Two views of /a and one of /b in minute 1, one of them late; one of /a in minute 2; a scroll; a malformed line. */
const right: Observed = {
  sent: [
    event('/a', MINUTE),
    event('/b', MINUTE + 1),
    event('/a', 2 * MINUTE),
    event('/a', 2 * MINUTE - 1),
    event('/a', MINUTE, 'scroll'),
    '{"user_id":',
  ],
  counts: [
    { page: '/a', minute: MINUTE, views: 1 },
    { page: '/b', minute: MINUTE, views: 1 },
    { page: '/a', minute: 2 * MINUTE, views: 1 },
  ],
  late: [{ page: '/a', timestamp: 2 * MINUTE - 1 }],
  topPages: [
    { minute: MINUTE, top: [{ page: '/b', views: 1 }] },
    {
      minute: MINUTE,
      top: [
        { page: '/a', views: 1 },
        { page: '/b', views: 1 },
      ],
    },
    { minute: 2 * MINUTE, top: [{ page: '/a', views: 1 }] },
  ],
  skipped: 1,
};

describe('the oracle of page-analytics', () => {
  it('finds nothing wrong with a right run, and gives its sums', () => {
    expect(judge(right)).toEqual({ generated: 6, counted: 3, late: 1, malformed: 1, filtered: 1, differences: [] });
  });

  it.each<[string, Partial<Observed>, RegExp[]]>([
    [
      'a count that is missing',
      { counts: right.counts.slice(1) },
      [/6 generated, but .* = 5/, /00:01:.* \/a: 2 .* 0 counted and 1 late/, /top/],
    ],
    [
      'a view counted twice',
      { counts: right.counts.map((c) => ({ ...c, views: 2 })) },
      [/= 9/, /\/a: 2/, /\/b: 1/, /\/a: 1/, /top/, /top/],
    ],
    [
      'a window that closed twice',
      { counts: [...right.counts, { page: '/b', minute: MINUTE, views: 1 }] },
      [/= 7/, /\/b: counted twice/, /\/b: 1 views sent, but 2/, /top/],
    ],
    ['a late view that is missing', { late: [] }, [/= 5/, /\/a: 2 views sent, but 1 counted and 0 late/]],
    [
      'a late view that was of another page: the sum is right',
      { late: [{ page: '/b', timestamp: MINUTE }] },
      [/\/a: 2 views sent, but 1 counted and 0 late/, /\/b: 1 views sent, but 1 counted and 1 late/],
    ],
    ['a page that nobody viewed', { counts: [...right.counts, { page: '/c', minute: 0, views: 1 }] }, [/= 7/, /\/c: 0 views sent/, /top/]],
    ['a record that was not skipped', { skipped: 0 }, [/1 malformed lines sent, but 0 skipped/]],
    ['a minute without top pages', { topPages: right.topPages.slice(0, 2) }, [/00:02.* are missing, but should be \/a 1/]],
    ['an old ranking as the last', { topPages: [...right.topPages, right.topPages[0]!] }, [/are \/b 1, but should be \/a 1, \/b 1/]],
  ])('finds %s', (_what, wrong, expected) => {
    const { differences } = judge({ ...right, ...wrong });
    expect(differences).toEqual(expected.map((pattern) => expect.stringMatching(pattern) as unknown));
  });

  it('ranks ten pages, equal ones by name', () => {
    const pages = Array.from({ length: 12 }, (_, i) => `/${String.fromCharCode(97 + i)}`);
    const counts = pages.map((page) => ({ page, minute: 0, views: page === '/l' ? 2 : 1 })).reverse();
    const sent = counts.flatMap(({ page, views }) => Array.from({ length: views }, () => event(page, 0)));
    const top = ['/l', ...pages.slice(0, 9)].map((page) => ({ page, views: page === '/l' ? 2 : 1 }));
    expect(judge({ sent, counts, late: [], topPages: [{ minute: 0, top }], skipped: 0 }).differences).toEqual([]);
  });
});
