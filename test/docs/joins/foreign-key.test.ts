// foreign-key.test.ts
import { foreignKeyStore, keyValueStore, type Topology } from 'millrace';
import { joinTablesByForeignKey, to, toTable } from 'millrace/operators';
import { diagram, marbleAssert, memoryStore, outgoing, records, testTopology, type TimedMarble } from 'millrace/testing';
import { TestScheduler } from 'rxjs/testing';
import { offers, products, results } from './shop';

const productOfOffer = foreignKeyStore('product-of-offer', { key: offers.key, foreignKey: products.key });
const foreignKey = (product: string) => product;
const described = { foreignKey, join: (_: string, what: string) => what };
const describedIfKnown = { foreignKey, join: (product: string, what = 'unknown') => `${product}/${what}`, kind: 'left' as const };

const rowsOf = (name: string) => memoryStore(keyValueStore(name, offers));
const orGone = ({ text }: TimedMarble) => (text === '∅' ? null : text);

it('changes all offers of a product with it', () => {
  new TestScheduler(marbleAssert).run(({ cold, expectObservable }) => {
    const offered = '-a1=tea--------------------b3=tea-----------------------a5=rum------------------------|';
    const known = '  ----------------tea2=black----------tea4=green-------------------------tea6=∅---------|';
    const inner = '  ----------------a2=black---b3=black-(a4=green-b4=green)-a5=∅-----------b6=∅-----------|';

    const left = toTable(cold(...diagram(offered, orGone)), rowsOf('offered'));
    const right = toTable(cold(...diagram(known, orGone)), rowsOf('known'));
    const joined = joinTablesByForeignKey(left, right, memoryStore(productOfOffer), described);
    expectObservable(joined.changes).toBe(...diagram(inner, orGone));
  });
});

const topology: Topology = ({ table, store }) =>
  joinTablesByForeignKey(table(offers), table(products), store(productOfOffer), describedIfKnown).changes.pipe(to(results));

it('needs no equal partitions', () => {
  const test = testTopology(topology, { partitions: { offers: 3, products: 2 } });
  test.pipe(offers, ...records('a1=tea b2=rum'));
  test.pipe(products, ...records('tea3=black'));
  expect(test.read(results)).toEqual([
    outgoing(results, 'a', 'tea/unknown', 1),
    outgoing(results, 'b', 'rum/unknown', 2),
    outgoing(results, 'a', 'tea/black', 3),
  ]);
});
