/** Global tables: whole before the first record, then followed; what a restart reads; what is wrong with their topics. */
import { joinGlobalTable, joinTable, to } from '../../operators';
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import type { Topology } from '../../src/task/topology';
import { FakeDisk } from '../state/fake-disk';
import { keysOf, record } from './programs';
import { type StartOptions, World } from './world';

const products = topic('products', { key: string, value: string });
const orders = topic('orders', { key: string, value: string });
const named = topic('named', { key: string, value: string });

/** The value of an order is the key of its product. */
const naming: Topology = ({ stream, globalTable }) =>
  stream(orders).pipe(
    joinGlobalTable(
      globalTable(products),
      (product) => product,
      (product, name) => `${product} ${name ?? 'nothing'}`,
      { kind: 'left' },
    ),
    to(named),
  );

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ products: 3, orders: 2, named: 1 });
});

afterEach(() => world.end());

const values = async (): Promise<string[]> => (await world.read(named)).map(({ value }) => value);
const gone = (key: string): KafkaRecord<string, string> => KafkaRecord.of(key, null as unknown as string, 0, noOrigin);
const onDisk = (): StartOptions => {
  const disks = new Map<string, FakeDisk>();
  const openBytes: StartOptions['openBytes'] = (folder, options) => {
    const disk = disks.get(folder) ?? new FakeDisk();
    disks.set(folder, disk);
    return disk.open(folder, options);
  };
  return { openBytes };
};

describe('a global table', () => {
  it('is whole, from all partitions, before the first record is pushed, and needs no equal partitions', async () => {
    const keys = [0, 1, 2].flatMap((partition) => keysOf(partition, 3, 2));
    await world.write(products, [...keys.map((key) => record(key, `name of ${key}`)), gone(keys[0]!)]);
    await world.write(
      orders,
      keys.map((key) => record('o', key)),
    );
    await world.toTheEnd(naming);
    expect(await values()).toEqual(keys.map((key, at) => `${key} ${at === 0 ? 'nothing' : `name of ${key}`}`));
  });

  it('is followed as its topic grows', async () => {
    await world.write(products, [record('x', 'old')]);
    const one = world.start(naming);
    await world.write(orders, [record('o', 'x')]);
    await world.until(() => one.commits.length > 0);
    await world.write(products, [record('x', 'new'), record('y', 'other')]);
    await world.clock.advance(2_000);
    await world.write(orders, [record('o', 'x'), record('o', 'y')]);
    await world.until(() => one.total('process-total') === 3);
    expect(await values()).toEqual(['x old', 'x new', 'y other']);
  });

  it('may be empty', async () => {
    await world.write(orders, [record('o', 'x')]);
    await world.toTheEnd(naming);
    expect(await values()).toEqual(['x nothing']);
  });

  it('is refused by name when its topic does not exist', async () => {
    world = new World();
    world.topics({ orders: 1, named: 1 });
    const running = world.start(naming);
    await running.ended();
    expect(running.error?.code).toBe('UNKNOWN_TOPIC');
    expect(running.error?.message).toContain('products');
  });

  it('reads only the difference when it starts again', async () => {
    const options = onDisk();
    await world.write(
      products,
      Array.from({ length: 60 }, (_, at) => record(`k${String(at)}`, 'old')),
    );
    await world.write(orders, [record('o', 'k1')]);
    const first = await world.toTheEnd(naming, options);
    expect(first.total('restore-records-total')).toBe(60);
    await world.write(products, [record('k1', 'new')]);
    await world.write(orders, [record('o', 'k1'), record('o', 'k2')]);
    const again = await world.toTheEnd(naming, options);
    expect(again.total('restore-records-total')).toBe(1);
    expect(await values()).toEqual(['k1 old', 'k1 new', 'k2 old']);
  });

  it('is read anew when its topic was created anew, with a line in the log', async () => {
    const options = onDisk();
    await world.write(products, [record('x', 'old'), record('y', 'old')]);
    await world.write(orders, [record('o', 'x')]);
    await world.toTheEnd(naming, options);
    world.broker.deleteTopic('products');
    world.topics({ products: 3 });
    await world.write(products, [record('x', 'new')]);
    await world.write(orders, [record('o', 'x'), record('o', 'y')]);
    const again = await world.toTheEnd(naming, options);
    expect(await values()).toEqual(['x old', 'x new', 'y nothing']);
    expect(again.lines.some(({ level, message }) => level === 'warn' && message.includes('created anew'))).toBe(true);
  });

  it('warns of a topic that is not compacted, by name', async () => {
    await world.write(orders, [record('o', 'x')]);
    const one = await world.toTheEnd(naming);
    const warnings = one.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warnings).toEqual([expect.stringMatching(/"products" is read as a table.*cleanup\.policy is delete/)]);
  });

  it('passes over what does not decode if the policy of its topic says skip, and fails else, naming topic and offset', async () => {
    const strict = topic('products', { key: string, value: refusing });
    const lenient = topic('products', { key: string, value: refusing, onDecodeError: 'skip' });
    const over = (of: typeof products): Topology =>
      (({ stream, globalTable }) =>
        stream(orders).pipe(
          joinGlobalTable(
            globalTable(of),
            (product) => product,
            (product, name) => `${product} ${name}`,
          ),
          to(named),
        )) satisfies Topology;
    await world.write(products, [record('x', 'good'), record('x', 'bad')]);
    await world.write(orders, [record('o', 'x')]);
    await world.toTheEnd(over(lenient));
    expect(await values()).toEqual(['x good']);
    const running = world.start(over(strict));
    await running.ended();
    expect(running.error).toMatchObject({ code: 'DECODE', where: { topic: 'products', offset: 1 } });
  });

  it('has no changes to follow: what subscribes to them is told so', async () => {
    const running = world.start(({ stream, globalTable }) =>
      stream(orders).pipe(
        joinTable(globalTable(products), (order) => order),
        to(named),
      ),
    );
    await running.ended();
    expect(running.error).toMatchObject({ code: 'CONFIG' });
    expect(running.error?.message).toContain('joinGlobalTable');
  });
});

const refusing: typeof string = {
  encode: (value) => value,
  decode: (bytes) => {
    const text = Buffer.from(bytes).toString();
    return text === 'bad' ? { _tag: 'Left', left: new Error('bad') } : { _tag: 'Right', right: text };
  },
};
