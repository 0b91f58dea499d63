/** What goes wrong while an instance starts: it is tried again, or the instance ends and nothing of it stays behind. */
import { joinGlobalTable, to } from '../../operators';
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { Topology } from '../../src/task/topology';
import { FakeDisk } from '../state/fake-disk';
import { counting, input, record, records } from './programs';
import { World } from './world';

const products = topic('products', { key: string, value: string });
const named = topic('results', { key: string, value: string });
const naming: Topology = ({ stream, globalTable }) =>
  stream(input).pipe(
    joinGlobalTable(
      globalTable(products),
      (value) => value,
      (value, product) => `${value} ${product}`,
    ),
    to(named),
  );

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 1, results: 1, products: 1 });
});

afterEach(() => world.end());

describe('an instance that starts', () => {
  it('asks again for configurations when the connection breaks', async () => {
    world.fault('describeConfigs', { kind: 'lose answer' }, ({ request }) => request.names.includes('max.message.bytes'), 2);
    await world.write(input, records('a', 3));
    const one = world.start(counting);
    await world.untilCommitted({ input: [3] });
    expect(one.error).toBeUndefined();
  });

  it('ends for good when a global table fails before it has joined: it is no member that nobody sees work', async () => {
    const disk = new FakeDisk();
    world.fault('initProducerId', { kind: 'delay', ms: 15_000 });
    const one = world.start(naming, { openBytes: disk.open.bind(disk) });
    await world.until(() => world.asked('initProducerId').length > 0);
    disk.failing = 1;
    await world.write(products, [record('x', 'new')]);
    await one.ended();
    expect(one.error?.code).toBe('STATE_IO');
    await world.clock.advance(10_000);
    expect(world.broker.group('app')?.members ?? []).toEqual([]);
    expect(one.waiting).toBe(0);
  });
});
