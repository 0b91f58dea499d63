import { joinGlobalTable, to } from '../../../operators';
import { string } from '../../../src/codec/primitives';
import { topic } from '../../../src/codec/topic';
import { add, compared, type Program, textOf } from '../program';
import { inputOf, isPoison, oneOfEach, someRecords } from './inputs';

const orders = inputOf('orders');
const products = inputOf('products');
const named = topic('named', { key: string, value: string });

/** Joins orders with a table that every instance holds whole. Each order goes out once; in the end it meets the last product. */
export const global: Program = {
  name: 'stream with global table',
  inputs: ['orders'],
  others: { products: 2, named: 2 },
  hangs: 32_000,
  topology: ({ stream, globalTable }) =>
    stream(orders).pipe(
      joinGlobalTable(
        globalTable(products),
        (_, { key }) => key,
        (order, product) => `${order}/${product ?? 'nothing'}`,
        { kind: 'left' },
      ),
      to(named),
    ),
  round: ({ chance, number, write }) => {
    if (chance.below(2) === 0) write(products, someRecords(chance, number, 4));
    write(orders, someRecords(chance, number, 8));
  },
  last: [({ write }) => write(products, oneOfEach(1_000_000)), ({ write }) => write(orders, oneOfEach(2_000_000))],
  differences: (logs) => {
    const expected = new Map<string, number>();
    const last = new Map<string, string>();
    for (const { key, value } of logs('products').flat()) if (!isPoison(textOf(value))) last.set(textOf(key), textOf(value));
    for (const { value } of logs('orders').flat()) if (!isPoison(textOf(value))) add(expected, textOf(value));
    const found = new Map<string, number>();
    const met = new Map<string, string>();
    for (const { key, value } of logs('named').flat()) {
      const [order, product] = textOf(value).split('/') as [string, string];
      add(found, order);
      met.set(textOf(key), product);
    }
    return [...compared('order', expected, found), ...compared('last product', last, met)];
  },
};
