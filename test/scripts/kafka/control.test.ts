import { PassThrough } from 'node:stream';
import type { ClusterBroker } from '../../../scripts/kafka/cluster-broker';
import { parseOrder, takeOrders } from '../../../scripts/kafka/control';

/** A broker that writes down what it was told. */
function told(id: number, orders: string[], restart: () => Promise<void> = () => Promise.resolve()): ClusterBroker {
  return {
    id,
    address: '127.0.0.1:1',
    logFile: 'log',
    pid: 100 + id,
    kill: () => Promise.resolve(void orders.push(`kill ${id}`)),
    stop: () => void orders.push(`stop ${id}`),
    continue: () => void orders.push(`continue ${id}`),
    restart: () => restart().then(() => void orders.push(`restart ${id}`)),
  };
}

async function obeyed(text: string, restart?: () => Promise<void>): Promise<{ orders: string[]; printed: string[] }> {
  const orders: string[] = [];
  const printed: string[] = [];
  const input = new PassThrough();
  const lines = text.split('\n');
  await new Promise<void>((resolve) => {
    takeOrders(input, [told(1, orders, restart), told(2, orders)], (line) => {
      if (printed.push(line) === lines.length) resolve();
    });
    input.end(`${text}\n`);
  });
  return { orders, printed };
}

describe('orders to brokers', () => {
  it.each(['kill', 'stop', 'continue', 'restart'])('%s names one broker', (what) => {
    expect(parseOrder(` ${what}  2 `)).toEqual({ what, id: 2 });
  });

  it.each(['', 'kill', 'kill two', 'pause 2', 'kill 2 3', '2 kill'])('%j is none', (line) => {
    expect(parseOrder(line)).toBeUndefined();
  });

  it('are carried out one after the other', async () => {
    const slow = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const { orders } = await obeyed('restart 1\nkill 2\nstop 1', slow);
    expect(orders).toEqual(['restart 1', 'kill 2', 'stop 1']);
  });

  it('that fail, or name no broker, are said and change nothing for those after them', async () => {
    const { orders, printed } = await obeyed('restart 1\nkill 7\nkill 2', () => Promise.reject(new Error('not ready')));
    expect(orders).toEqual(['kill 2']);
    expect(printed).toEqual([
      'restart 1: not ready',
      '"kill 7" is no order: one of kill, stop, continue, restart, and a broker: 1, 2',
      'kill 2: done (process 102)',
    ]);
  });
});
