/** Tables and their joins as programs write them, and what types must catch: each line below an expected error must not compile. */
import * as t from 'io-ts';
import { map } from 'rxjs';
import {
  filterTable,
  float64,
  foreignKeyStore,
  groupTable,
  int64,
  internalTopic,
  joinGlobalTable,
  joinTable,
  joinTables,
  joinTablesByForeignKey,
  json,
  type KafkaRecord,
  keyValueStore,
  mapTable,
  mapValues,
  nullable,
  selectKey,
  string,
  type Table,
  type Task,
  to,
  topic,
  type Topology,
  toTable,
  windowStore,
} from 'millrace';
import { memoryGlobalTable, record } from 'millrace/testing';

const Click = t.type({ user: t.string, page: t.string });
const Order = t.type({ id: t.string, product: t.string });
const Profile = t.type({ name: t.string });
const Product = t.type({ title: t.string });

const clicks = topic('clicks', { key: string, value: json(Click) });
const orders = topic('orders', { key: string, value: json(Order) });
const profiles = topic('profiles', { key: string, value: json(Profile) });
const products = topic('products', { key: string, value: json(Product) });
const numbered = topic('numbered', { key: int64, value: json(Product) });
const raw = topic('raw', { value: json(Order) });
const enriched = topic('enriched', { key: string, value: json(t.type({ id: t.string, name: t.string, title: t.string })) });
const attributed = topic('attributed', { key: string, value: json(t.type({ page: t.string, order: t.string })) });
const titled = topic('titled', { key: string, value: nullable(json(t.type({ id: t.string, title: t.string }))) });
const texts = topic('texts', { key: string, value: nullable(string) });
const lengths = keyValueStore('lengths', { key: string, value: int64 });
const titles = keyValueStore('titles', { key: string, value: string });
const orderProducts = foreignKeyStore('order-products', { key: string, foreignKey: string });
const ordersPerProduct = keyValueStore('orders-per-product', { key: string, value: int64 });
const byProduct = internalTopic('by-product', { key: string, value: int64 });

export const enrichment: Topology = ({ stream, table, globalTable }) =>
  stream(orders).pipe(
    joinTable(table(profiles), (order, profile) => ({ ...order, name: profile?.name ?? 'unknown' }), { kind: 'left' }),
    joinGlobalTable(
      globalTable(products),
      (order) => order.product,
      (order, product) => ({ id: order.id, name: order.name, title: product.title }),
    ),
    to(enriched),
  );

export const byForeignKey: Topology = ({ table, store }) =>
  joinTablesByForeignKey(table(orders), table(products), store(orderProducts), {
    foreignKey: (order) => order.product,
    join: (order, product) => ({ id: order.id, title: product.title }),
  }).changes.pipe(to(titled));

export const leftByForeignKey: Topology = ({ table, store }) =>
  joinTablesByForeignKey(table(orders), table(products), store(orderProducts), {
    kind: 'left',
    foreignKey: (order) => (order.product === '' ? null : order.product),
    join: (order, product) => ({ id: order.id, title: product?.title ?? 'none' }),
  }).changes.pipe(to(titled));

export const derived: Topology = ({ stream, store }) => {
  const totals = toTable(stream(clicks).pipe(mapValues((click) => click.page.length)), store(lengths));
  return stream(orders).pipe(
    joinTable(totals, (order, total) => ({ page: order.id, order: String(total) })),
    to(attributed),
  );
};

export const perProduct: Topology = ({ table, store }) =>
  groupTable(table(orders), store(ordersPerProduct), {
    by: (order) => [order.product, 1],
    through: byProduct,
    initial: () => 0,
    add: (count, one) => count + one,
    subtract: (count, one) => count - one,
  }).changes.pipe(
    mapValues((count) => String(count)),
    to(texts),
  );

/** What a store is to keep is inferred, with a function that says nothing of its types. */
export function kept({ table, store }: Task): unknown {
  const mapped: Table<string, number> = mapTable(table(products), (product) => product.title.length, { store: store(lengths) });
  const filtered = filterTable(table(products), (product) => product.title !== '', {
    store: store(keyValueStore('kept', { key: string, value: json(Product) })),
  });
  const both: Table<string, string> = joinTables(filtered, mapped, (product, length) => product.title.slice(length), {
    store: store(titles),
  });
  const outer: Table<string, string> = joinTables(filtered, mapped, (product, length) => product?.title ?? String(length ?? 0), {
    kind: 'outer',
    store: store(titles),
  });
  const referring: Table<string, string> = joinTablesByForeignKey(table(orders), filtered, store(orderProducts), {
    foreignKey: (order) => order.product,
    join: (order, product) => order.id + product.title,
    store: store(titles),
  });
  return [both, outer, referring];
}

/** Rows are never null, whatever the topic's codec takes. */
export function rowsAreThere({ table, globalTable }: Task): readonly (string | undefined)[] {
  const rows: Table<string, string> = table(texts);
  const all: Table<string, string> = globalTable(texts);
  const alone: Table<string, string> = memoryGlobalTable(texts, [record('a', null, 0)]);
  return [rows.get('a'), all.get('a'), alone.get('a')];
}

export function changesMayBeNull({ table }: Task): unknown {
  return table(products).changes.pipe(
    map((change: KafkaRecord<string, t.TypeOf<typeof Product> | null>) => change.withValue(change.value?.title ?? null)),
  );
}

/** A record without a key finds the row it refers to in a global table. */
export function keyless({ stream, globalTable }: Task): unknown {
  return stream(raw).pipe(
    joinGlobalTable(
      globalTable(products),
      (order) => order.product,
      (order, product) => order.id + product.title,
    ),
  );
}

export const moved: Topology = ({ stream, table }) =>
  stream(orders).pipe(
    // @ts-expect-error re-keyed but not repartitioned
    selectKey((order) => order.product),
    joinTable(table(products), (order, product) => ({ id: order.id, name: '', title: product.title })),
    to(enriched),
  );

export const movedByHand: Topology = ({ stream, table }) =>
  stream(orders).pipe(
    // @ts-expect-error the same through plain RxJS
    map((order) => order.withKey(order.value.product)),
    joinTable(table(products), (order, product) => ({ id: order.id, name: '', title: product.title })),
    to(enriched),
  );

export function ofOtherKeys({ stream, table, globalTable, store }: Task): readonly unknown[] {
  return [
    // @ts-expect-error number keys against text keys
    stream(orders).pipe(joinTable(table(numbered), (order) => order)),
    // @ts-expect-error the same for two tables
    joinTables(table(orders), table(numbered), (order) => order),
    // @ts-expect-error the row that an order refers to has a text for a key, this table a number
    stream(orders).pipe(joinGlobalTable(globalTable(numbered), (order) => order.product, (order) => order)), // prettier-ignore
    // @ts-expect-error the same by foreign key
    joinTablesByForeignKey(table(orders), table(numbered), store(orderProducts), { foreignKey: (order) => order.product, join: (order) => order }), // prettier-ignore
    // @ts-expect-error the store is of other foreign keys
    joinTablesByForeignKey(table(orders), table(numbered), store(orderProducts), { foreignKey: () => 1, join: (order) => order }),
    // @ts-expect-error the keys of the rows that refer are texts
    joinTablesByForeignKey(table(orders), table(products), store(foreignKeyStore('f', { key: float64, foreignKey: string })), { foreignKey: (order) => order.product, join: (order) => order }), // prettier-ignore
  ];
}

export function ofWrongRows({ stream, table, globalTable, store }: Task): readonly unknown[] {
  return [
    // @ts-expect-error a left join may have no row
    stream(orders).pipe(joinTable(table(products), (order, product) => order.id + product.title, { kind: 'left' })),
    // @ts-expect-error nor may that of a global table
    stream(orders).pipe(joinGlobalTable(globalTable(products), (order) => order.product, (order, product) => order.id + product.title, { kind: 'left' })), // prettier-ignore
    // @ts-expect-error a left join of tables
    joinTables(table(orders), table(products), (order, product) => order.id + product.title, { kind: 'left' }),
    // @ts-expect-error in an outer one neither is certain
    joinTables(table(orders), table(products), (order, product) => order.id + (product?.title ?? ''), { kind: 'outer' }),
    // @ts-expect-error a left one by foreign key
    joinTablesByForeignKey(table(orders), table(products), store(orderProducts), { kind: 'left', foreignKey: (order) => order.product, join: (order, product) => order.id + product.title }), // prettier-ignore
    // @ts-expect-error the store keeps numbers, the function gives texts
    mapTable(table(products), (product) => product.title, { store: store(lengths) }),
    // @ts-expect-error a table is not kept in windows
    toTable(stream(products), store(windowStore('w', { key: string, value: json(Product), windows: { size: 1, grace: 0 } }))),
    // @ts-expect-error the groups' values are numbers
    groupTable(table(orders), store(ordersPerProduct), { by: (order) => [order.product, order.id], through: byProduct, initial: () => 0, add: (count) => count, subtract: (count) => count }), // prettier-ignore
    // @ts-expect-error the groups' keys are texts
    groupTable(table(orders), store(ordersPerProduct), { by: () => [1, 1], through: byProduct, initial: () => 0, add: (count) => count, subtract: (count) => count }), // prettier-ignore
    // @ts-expect-error what is added must be taken back
    groupTable(table(orders), store(ordersPerProduct), { by: (order) => [order.product, 1], through: byProduct, initial: () => 0, add: (count) => count }), // prettier-ignore
    // @ts-expect-error a table is no stream
    table(products).pipe(joinTable(table(orders), (product) => product)),
    // @ts-expect-error deletions are null: the topic takes none
    table(orders).changes.pipe(to(orders)),
  ];
}
