import { judge, type Observed } from '../../../examples/order-enrichment/oracle';
import { orderDay, type Order, type Profile } from '../../../examples/order-enrichment/orders';
import { report } from '../../../examples/order-enrichment/report';
import { run } from '../../../examples/order-enrichment/run';
import { memoryCluster } from '../../../src';
import { capture, writesWrongly } from '../planted-difference';

jest.setTimeout(60_000); // a busy machine

const never = new AbortController().signal;
const day = orderDay(1, 2_000);

describe('the day of orders', () => {
  it('is the same for the same seed, another for another', () => {
    const asText = (seed: number) => JSON.stringify(Object.values(orderDay(seed, 100)));
    expect(asText(1)).toBe(asText(1));
    expect(asText(2)).not.toBe(asText(1));
  });

  it('has orders and profiles in the order of their times, and deletions among the profiles', () => {
    const times = [day.orders.map(({ placedAt }) => placedAt), day.profileChanges.map(({ at }) => at)];
    for (const list of times) expect(list).toEqual([...list].sort((a, b) => a - b));
    expect(day.profileChanges.some(({ profile }) => profile === null)).toBe(true);
  });
});

const order = (id: number, placedAt: number, more: Partial<Order> = {}): Order => ({
  ...{ id, customer: 'a', product: 'p', quantity: 1, placedAt },
  ...more,
});
const gold: Profile = { city: 'Porto', tier: 'gold' };
const pen = { title: 'pen', category: 'tools', cents: 25 };
const of = (id: number, profile: Profile | null, cents: number) => ({
  ...{ id, customer: 'a', title: 'pen', category: 'tools', cents },
  ...{ city: profile?.city ?? null, tier: profile?.tier ?? null },
});

/** Before, at and after the registration, and at the deletion; then one of nothing. */
const right: Observed = {
  orders: [order(0, 9), order(1, 10), order(2, 19, { quantity: 2 }), order(3, 20), order(4, 21, { product: 'q' })],
  profileChanges: [
    { customer: 'a', profile: gold, at: 10 },
    { customer: 'a', profile: null, at: 20 },
  ],
  catalogue: new Map([['p', pen]]),
  enriched: [of(0, null, 25), of(1, gold, 23), of(2, gold, 45), of(3, null, 25)],
  unlisted: [order(4, 21, { product: 'q' })],
};

describe('the oracle of order-enrichment', () => {
  it('finds nothing wrong with a right run', () => {
    expect(judge(right)).toEqual({ enriched: 4, withoutProfile: 2, unlisted: 1, changedSince: 2, differences: [] });
  });

  it.each<[string, Partial<Observed>, RegExp[]]>([
    [
      'a profile that was not there yet',
      { enriched: [of(0, gold, 23), ...right.enriched.slice(1)] },
      [/^order 0 of a \(no profile.* 25 cents: missing$/, /^order 0 of a \(gold, Porto\).* 23 cents: should not be$/],
    ],
    [
      'a profile that was deleted',
      { enriched: [...right.enriched.slice(0, 3), of(3, gold, 23)] },
      [/^order 3 of a \(no profile.*: missing$/, /^order 3 of a \(gold.*: should not be$/],
    ],
    ['an order that is missing', { enriched: right.enriched.slice(1) }, [/^order 0 .*: missing$/, /^5 orders written, .* = 4$/]],
    [
      'an order twice',
      { enriched: [...right.enriched, right.enriched[3]!] },
      [/^order 3 .*: should not be$/, /^5 orders written, .* = 6$/],
    ],
    ['orders of one customer that have changed places', { enriched: [...right.enriched].reverse() }, [/^order 2/, /^order 1/, /^order 0/]],
    ['an unlisted order that is missing', { unlisted: [] }, [/^order 4 of a, 1 times q, .* is unlisted, but not/, /= 4$/]],
    ['a listed order among the others', { unlisted: [...right.unlisted, order(0, 9)] }, [/^order 0 .* but is none$/, /= 6$/]],
  ])('finds %s', (_what, wrong, expected) => {
    const { differences } = judge({ ...right, ...wrong });
    expect(differences).toEqual(expected.map((pattern) => expect.stringMatching(pattern) as unknown));
  });
});

describe('order-enrichment', () => {
  it('gives what a plain loop gives, reports in a few lines and ends with 0', async () => {
    const outcome = await run({ cluster: memoryCluster(), day, signal: never });
    expect(outcome?.verdict.differences).toEqual([]);
    for (const happens of ['withoutProfile', 'unlisted', 'changedSince'] as const) expect(outcome?.verdict[happens]).toBeGreaterThan(100);
    const { said, streams } = capture();
    expect(report(outcome!, streams)).toBe(0);
    expect(said.out.split('\n').length).toBeLessThan(15);
    expect(said.out).toMatch(/checked: a plain loop/);
  });

  it('agrees with the loop at the instant of a change: a profile counts for an order of its own time', async () => {
    const { orders, profileChanges, catalogue } = right;
    const outcome = await run({ cluster: memoryCluster(), day: { orders, profileChanges, catalogue }, signal: never });
    expect(outcome?.verdict.differences).toEqual([]);
    expect(outcome?.enriched).toEqual(right.enriched);
  });

  it('ends with 1 when one order was of another quantity than the loop knows', async () => {
    const more = (value: Order): Order => ({ ...value, quantity: value.quantity + 1 });
    // Behind the end of all other inputs: it is the order alone that is altered.
    const listed = day.orders.findIndex(({ product, id }) => id >= day.profileChanges.length && day.catalogue.has(product));
    const outcome = await run({ cluster: writesWrongly(memoryCluster(), listed, more), day, signal: never });
    const { said, streams } = capture();
    expect(report(outcome!, streams)).toBe(1);
    expect(said.err).toMatch(
      new RegExp(`WRONG: 2 differences[^]* {2}order ${listed} .*: missing\n {2}order ${listed} .*: should not be\n`),
    );
  });

  it('checks nothing when it is stopped before its end', async () => {
    await expect(run({ cluster: memoryCluster(), day, signal: AbortSignal.abort() })).resolves.toBeUndefined();
  });
});
