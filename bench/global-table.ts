import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as t from 'io-ts';
import { lastValueFrom } from 'rxjs';
import { joinGlobalTable, json, kafkaCluster, KafkaRecord, millrace, string, to, topic, type Logger, type Topology } from '../src';
import { noOrigin } from '../src/model/origin';
import { withBroker } from './contest/ground';

const PARTITIONS = 4;
const ORDERS = 1_000;
/** Rows of the table that is restarted, and how many of them change in between. */
const RESTARTED_ROWS = 100_000;
const CHANGED_ROWS = 1_000;

const Product = t.type({ id: t.string, name: t.string, price: t.number, supplier: t.string, tags: t.array(t.string) });
type Product = t.TypeOf<typeof Product>;

/** What one start of an application took until its table was whole. */
interface Loaded {
  /** Read from the topic. */
  readonly rows: number;
  /** From the subscription of `run` on: plan, topics, slot and all. */
  readonly ms: number;
  readonly rowsPerSecond: number;
  readonly cpuMicrosPerRow: number;
}

interface Ground {
  readonly brokers: readonly string[];
  readonly prefix: string;
}

/** How fast a global table is loaded from nothing, and what a restart reads; LevelDB, a real broker; every look-up is checked. */
export async function run(args: readonly string[]): Promise<object> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...args], options: { rows: text, rounds: text } });
  const rows = Number(values.rows ?? '1000000');
  const rounds = Number(values.rounds ?? '3');
  return withBroker(false, async (brokers) => {
    const ground = { brokers, prefix: `global-table-${Date.now()}` };
    const bootstrap = await bootstraps(ground, rows, rounds);
    const restart = await restarted(ground);
    return { rows, rounds, bootstrap, restart, cpu: cpus()[0]?.model, cores: cpus().length };
  });
}

async function bootstraps({ brokers, prefix }: Ground, rows: number, rounds: number): Promise<Loaded[]> {
  const products = `${prefix}-products`;
  await write(brokers, products, 0, rows, 0);
  const loads: Loaded[] = [];
  for (let round = 1; round <= rounds; round++) {
    const name = `${prefix}-from-nothing-${round}`;
    const loaded = await inDirectory((directory) => load({ brokers, name, products, directory, rows, changed: 0 }));
    console.log(`from nothing, round ${round}: ${describe(loaded)}`);
    if (loaded.rows !== rows) throw new Error(`${loaded.rows} rows were read instead of ${rows}`);
    loads.push(loaded);
  }
  return loads;
}

/** The same instance twice, a few rows changed in between: the second start reads those. */
async function restarted({ brokers, prefix }: Ground): Promise<{ readonly first: Loaded; readonly second: Loaded }> {
  const products = `${prefix}-restarted`;
  await write(brokers, products, 0, RESTARTED_ROWS, 0);
  return inDirectory(async (directory) => {
    const of = { brokers, products, directory, rows: RESTARTED_ROWS };
    const first = await load({ ...of, name: `${prefix}-before`, changed: 0 });
    await write(brokers, products, 0, CHANGED_ROWS, 1);
    const second = await load({ ...of, name: `${prefix}-before`, changed: CHANGED_ROWS });
    console.log(`first start:  ${describe(first)}`);
    console.log(`second start: ${describe(second)}`);
    if (second.rows !== CHANGED_ROWS) throw new Error(`the restart read ${second.rows} rows, and ${CHANGED_ROWS} had changed`);
    return { first, second };
  });
}

interface LoadOptions {
  readonly brokers: readonly string[];
  /** Of the application. */
  readonly name: string;
  /** The table's topic. */
  readonly products: string;
  readonly directory: string;
  readonly rows: number;
  /** The first so many have been written a second time. */
  readonly changed: number;
}

/** Starts an application that looks up in the table, until it has looked up everything there was to. */
async function load({ brokers, name, products, directory, rows, changed }: LoadOptions): Promise<Loaded> {
  const [ordersName, named] = [`${name}-orders-${Date.now()}`, `${name}-named-${Date.now()}`];
  const productRows = topic(products, { key: string, value: json(Product) });
  const orders = topic(ordersName, { key: string, value: string });
  const results = topic(named, { key: string, value: string });
  const ids = Array.from({ length: ORDERS }, (_, order) => Math.floor((order * rows) / ORDERS));
  const cluster = kafkaCluster({ brokers });
  await cluster.createTopics([ordersName, named].map((each) => ({ name: each, partitions: 1 })));
  await cluster.write(
    orders,
    ids.map((id, order) => KafkaRecord.of<string, string>(`order-${order}`, productId(id), Date.now(), noOrigin)),
  );

  const topology: Topology = ({ stream, globalTable }) =>
    stream(orders).pipe(
      joinGlobalTable(
        globalTable(productRows),
        (id) => id,
        (_, product) => product.name,
      ),
      to(results),
    );
  const watch = new LoadWatch();
  const app = millrace({ applicationId: name, brokers, stateDirectory: directory, logger: watch.logger });
  await lastValueFrom(app.run(topology, { until: 'caught-up' }), { defaultValue: undefined });
  await app.close();
  const found = (await cluster.read(results)).map(({ value }) => value);
  await cluster.deleteTopics([ordersName, named]);
  await cluster.close();
  const expected = ids.map((id) => productOf(id, id < changed ? 1 : 0).name);
  if (found.join() !== expected.join()) throw new Error(`${name}: the look-ups gave something else than what the table holds`);
  return watch.loaded();
}

/** Notes when the table says that it is loaded. */
class LoadWatch {
  private readonly began = performance.now();
  private readonly cpuBefore = process.cpuUsage();
  private result: Loaded | undefined;

  readonly logger: Logger = {
    debug: () => undefined,
    info: (fields, message) => {
      if (message.endsWith('is loaded')) this.result = this.read((fields as { rows: number }).rows);
    },
    warn: (_, message) => {
      console.warn(message);
    },
    error: (_, message) => {
      console.error(message);
    },
  };

  loaded(): Loaded {
    if (this.result === undefined) throw new Error('the table never said that it is loaded');
    return this.result;
  }

  private read(rows: number): Loaded {
    const ms = Math.round(performance.now() - this.began);
    const { user, system } = process.cpuUsage(this.cpuBefore);
    const cpuMicrosPerRow = Number(((user + system) / rows).toFixed(2));
    return { rows, ms, rowsPerSecond: Math.round((1_000 * rows) / ms), cpuMicrosPerRow };
  }
}

function productId(number: number): string {
  return `product-${String(number).padStart(7, '0')}`;
}

function productOf(number: number, revision: number): Product {
  const name = `Product ${number}, revision ${revision}`;
  return { id: productId(number), name, price: (number % 10_000) / 100, supplier: `supplier-${number % 500}`, tags: ['new', 'blue'] };
}

async function write(brokers: readonly string[], name: string, from: number, until: number, revision: number): Promise<void> {
  const cluster = kafkaCluster({ brokers });
  try {
    if (revision === 0) await cluster.createTopics([{ name, partitions: PARTITIONS, configs: { 'cleanup.policy': 'compact' } }]);
    await cluster.write(topic(name, { key: string, value: json(Product) }), rowsOf(from, until, revision));
  } finally {
    await cluster.close();
  }
}

function* rowsOf(from: number, until: number, revision: number): Iterable<KafkaRecord<string, Product>> {
  const timestamp = Date.now();
  for (let number = from; number < until; number++) {
    yield KafkaRecord.of<string, Product>(productId(number), productOf(number, revision), timestamp, noOrigin);
  }
}

async function inDirectory<T>(body: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  return body(directory).finally(() => rm(directory, { recursive: true, force: true }));
}

function describe({ rows, ms, rowsPerSecond, cpuMicrosPerRow }: Loaded): string {
  return `${rows} rows read in ${ms} ms, ${Math.round(rowsPerSecond / 1_000)} thousand rows/s, CPU ${cpuMicrosPerRow} µs a row`;
}
