import * as t from 'io-ts';
import { json, nullable, string, topic, type Topology } from 'millrace';
import { filterValues, joinGlobalTable, joinTable, mapValues, to } from 'millrace/operators';
import { merge, share } from 'rxjs';
import { Order, Product, Profile } from './orders';

const EnrichedOrder = t.type({
  id: t.number,
  customer: t.string,
  /** Null: the customer had no profile when the order was placed. */
  city: t.union([t.string, t.null]),
  tier: t.union([Profile.props.tier, t.null]),
  title: t.string,
  category: t.string,
  /** A tenth less for gold customers. */
  cents: t.number,
});
export type EnrichedOrder = t.TypeOf<typeof EnrichedOrder>;

interface Joined {
  readonly order: Order;
  readonly profile: Profile | undefined;
  readonly product: Product | undefined;
}

/**
 * Orders with what is known of customer and product; those of products that nobody knows go to a topic of their own. `name` begins the
 * topics' names.
 *
 * The profile is the one the customer had when the order was placed: a table and a stream that meet in a join are pushed in the order of
 * their timestamps, and `maxTaskIdle` 0, the default, waits for a topic as long as it has records that have not been read. So each order's
 * profile is decided, as long as both topics are in the order of their times and profiles are not written later than the orders that need
 * them: then the oracle may ask for exactly that profile. (Where profiles may come later, give the table a `history` and the join a
 * `grace`.) The catalogue is a global table, and those are followed as they come, whatever the time of an order: which row an order meets
 * is decided only if the catalogue does not change while it is read, so all of it is written before the application starts.
 */
export function orderEnrichment(name: string) {
  const orders = topic(`${name}-orders`, { key: string, value: json(Order) });
  const profiles = topic(`${name}-profiles`, { key: string, value: nullable(json(Profile)) });
  const products = topic(`${name}-products`, { key: string, value: json(Product) });
  const enrichedOrders = topic(`${name}-enriched-orders`, { key: string, value: json(EnrichedOrder) });
  const unlistedOrders = topic(`${name}-unlisted-orders`, { key: string, value: json(Order) });

  const topology: Topology = ({ stream, table, globalTable }) => {
    const joined = stream(orders).pipe(
      joinTable(table(profiles), (order, profile) => ({ order, profile }), { kind: 'left' }),
      joinGlobalTable(
        globalTable(products),
        ({ order }) => order.product,
        (orderAndProfile, product): Joined => ({ ...orderAndProfile, product }),
        { kind: 'left' },
      ),
      share(),
    );
    return merge(
      joined.pipe(filterValues(isListed), mapValues(enriched), to(enrichedOrders)),
      joined.pipe(
        filterValues(({ product }) => product === undefined),
        mapValues(({ order }) => order),
        to(unlistedOrders),
      ),
    );
  };

  return {
    topology,
    orders,
    profiles,
    products,
    enrichedOrders,
    unlistedOrders,
    topics: [orders, profiles, products, enrichedOrders, unlistedOrders],
    tables: [profiles, products],
    stores: [],
    internalTopics: [],
  };
}

type Listed = Joined & { readonly product: Product };

function isListed(joined: Joined): joined is Listed {
  return joined.product !== undefined;
}

function enriched({ order, profile, product }: Listed): EnrichedOrder {
  const { id, customer, quantity } = order;
  const { title, category } = product;
  const full = quantity * product.cents;
  const cents = profile?.tier === 'gold' ? full - Math.floor(full / 10) : full;
  return { id, customer, city: profile?.city ?? null, tier: profile?.tier ?? null, title, category, cents };
}
