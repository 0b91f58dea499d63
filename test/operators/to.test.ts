import { Subject } from 'rxjs';
import { to } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { listenToWiring, type WiringNode } from '../../src/state/wiring';
import { outgoing, record } from '../../src/testing';
import { errorWith } from './errors';
import { marbles } from './marbles';

const counts = topic('counts', { key: string, value: int64 });
const small = topic('small', counts);
const large = topic('large', counts);
const elsewhere = topic('elsewhere', counts);
const records = { a: record('k', 1, 10), b: record('m', 200, 20) };

describe('to', () => {
  it('sends each record to its topic with key, value and timestamp', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-|', records);
      const subs = '        ^----!';
      const out = '         -x-y-|';
      expectObservable(source.pipe(to(counts))).toBe(out, { x: outgoing(counts, 'k', 1, 10), y: outgoing(counts, 'm', 200, 20) });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('keeps the origin of the record, and with it the headers', () => {
    const source = new Subject<(typeof records)['a']>();
    const sent = record('k', 1, 10, { trace: 'x' });
    const origins: unknown[] = [];
    source.pipe(to(counts)).subscribe(({ origin }) => origins.push(origin));
    source.next(sent);
    expect(origins).toEqual([sent.origin]);
  });

  it('sends each record to the topic that is chosen for it', () => {
    marbles(({ cold, expectObservable }) => {
      const routed = cold('-a-b-|', records).pipe(to([small, large], (value) => (value < 100 ? small : large)));
      expectObservable(routed).toBe('-x-y-|', { x: outgoing(small, 'k', 1, 10), y: outgoing(large, 'm', 200, 20) });
    });
  });

  it('ends with PROCESSING when a topic is chosen that is not in the list, and names both', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-|', records);
      const routed = source.pipe(to([small, large], (value) => (value < 100 ? small : elsewhere)));
      const error = errorWith({
        code: 'PROCESSING',
        message: /elsewhere.*small, large/,
        where: { operator: 'to' },
      });
      expectObservable(routed).toBe('-x-#', { x: outgoing(small, 'k', 1, 10) }, error);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('ends with PROCESSING when the choice throws', () => {
    marbles(({ cold, expectObservable }) => {
      const cause = new Error('no idea');
      const routed = cold('-a-|', records).pipe(
        to([small], () => {
          throw cause;
        }),
      );
      expectObservable(routed).toBe('-#', {}, errorWith({ code: 'PROCESSING', cause }));
    });
  });

  it('refuses a list without a function that chooses', () => {
    expect(() => (to as (topics: unknown) => unknown)([small, large])).toThrow(
      errorWith({ code: 'CONFIG', where: { operator: 'to', option: 'choose' } }),
    );
  });

  it('tells the planner every topic that it may write', () => {
    const nodes: WiringNode[] = [];
    const listener = { enter: (node: WiringNode) => nodes.push(node), leave: () => undefined, announce: () => undefined };
    listenToWiring(listener, () => {
      const source = new Subject<(typeof records)['a']>();
      source.pipe(to(counts)).subscribe();
      source.pipe(to([small, large], () => small)).subscribe();
    });
    expect(nodes).toEqual([
      { kind: 'sink', name: 'counts', operator: 'to', topics: [counts] },
      { kind: 'sink', name: 'small, large', operator: 'to', topics: [small, large] },
    ]);
  });

  it('unsubscribes from its source when it is unsubscribed', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-a', records);
      expectObservable(source.pipe(to(counts)), '--!').toBe('-x', { x: outgoing(counts, 'k', 1, 10) });
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });
});
