import * as t from 'io-ts';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export const Order = t.type({
  id: t.number,
  customer: t.string,
  product: t.string,
  quantity: t.number,
  /** ms since the epoch. */
  placedAt: t.number,
});
export type Order = t.TypeOf<typeof Order>;

export const Profile = t.type({ city: t.string, tier: t.union([t.literal('standard'), t.literal('gold')]) });
export type Profile = t.TypeOf<typeof Profile>;

export interface ProfileChange {
  readonly customer: string;
  /** Null: the customer has left. */
  readonly profile: Profile | null;
  /** ms since the epoch. */
  readonly at: number;
}

export const Product = t.type({ title: t.string, category: t.string, cents: t.number });
export type Product = t.TypeOf<typeof Product>;

export interface Day {
  /** In the order of their times. */
  readonly orders: readonly Order[];
  /** In the order of their times. */
  readonly profileChanges: readonly ProfileChange[];
  readonly catalogue: ReadonlyMap<string, Product>;
}

const CUSTOMERS = 300;
const PRODUCTS = 60;
const BEGIN = Date.UTC(2025, 0, 1);
const DAY = 24 * 3_600_000;
const CITIES = ['Bergen', 'Gdansk', 'Porto', 'Utrecht', 'Zagreb'];
const CATEGORIES = ['books', 'garden', 'kitchen', 'music', 'tools'];

/**
 * The same seed gives the same day. Some customers order before they have a profile or without ever having one; profiles change and are
 * deleted between orders; one product in ten is ordered, but not in the catalogue.
 */
export function orderDay(seed: number, orders: number): Day {
  const random = xoroshiro128plus(seed);
  const chance = (): number => uniformFloat64(random);
  const below = (end: number): number => uniformInt(random, 0, end - 1);
  const profile = (): Profile => ({ city: CITIES[below(CITIES.length)]!, tier: chance() < 0.3 ? 'gold' : 'standard' });

  const catalogue = new Map<string, Product>();
  for (let i = 0; i < PRODUCTS; i++) {
    const product: Product = { title: `product ${i}`, category: CATEGORIES[i % CATEGORIES.length]!, cents: 100 + below(20_000) };
    if (i % 10 !== 9) catalogue.set(`p-${i}`, product);
  }

  const changesOf = (customer: string): ProfileChange[] => {
    if (chance() < 0.1) return [];
    const registered = { customer, profile: profile(), at: BEGIN + (chance() < 0.7 ? 0 : below(DAY)) };
    const later = Array.from({ length: below(5) }, () => ({
      customer,
      profile: chance() < 0.15 ? null : profile(),
      at: registered.at + below(BEGIN + DAY - registered.at),
    }));
    return [registered, ...later];
  };
  const profileChanges = Array.from({ length: CUSTOMERS }, (_, i) => changesOf(`c-${i}`)).flat();

  const placed = Array.from({ length: orders }, (): Omit<Order, 'id'> => {
    const who = { customer: `c-${below(CUSTOMERS)}`, product: `p-${below(PRODUCTS)}` };
    return { ...who, quantity: 1 + below(4), placedAt: BEGIN + below(DAY) };
  });
  return {
    orders: placed.sort((a, b) => a.placedAt - b.placedAt).map((order, id) => ({ id, ...order })),
    profileChanges: profileChanges.sort((a, b) => a.at - b.at),
    catalogue,
  };
}
