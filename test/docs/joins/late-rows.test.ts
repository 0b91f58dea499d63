// late-rows.test.ts
import { joinStore, type JoinWindows } from 'millrace';
import { joinStream, type LateJoinRecord } from 'millrace/operators';
import { diagram, marbleAssert, memoryStore } from 'millrace/testing';
import { map, Subject } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { clicks, orders } from './shop';

const both = (page: string, product: string | undefined) => `${page}/${product ?? 'nothing'}`;
const storeOf = (windows: JoinWindows) =>
  memoryStore(joinStore('visits', { key: clicks.key, left: clicks.value, right: orders.value, windows }));

it('refuses a click of 9 when event time is 25: its window and grace went to 24', () => {
  new TestScheduler(marbleAssert).run(({ cold, expectObservable }) => {
    const seen = '  -ada1=home------------------------------------ada9=help-|';
    const bought = '-----------bob11=ink-ada10=tea------bob25=nib-----------|';
    const pairs = ' ---------------------ada10=home/tea---------------------|';
    const lates = ' ----------------------------------------------ada9=help--';

    const late = new Subject<LateJoinRecord<string, string, string>>();
    const joined = cold(...diagram(seen)).pipe(
      joinStream(cold(...diagram(bought)), storeOf({ before: 0, after: 10, grace: 5 }), both, { late }),
    );
    expectObservable(joined).toBe(...diagram(pairs));
    expectObservable(late.pipe(map(({ record }) => record))).toBe(...diagram(lates));
  });
});

it('with before > 0 an order can be in time for a click that has come out alone: then it comes out again', () => {
  new TestScheduler(marbleAssert).run(({ cold, expectObservable }) => {
    const seen = '  -ada1=home----------------------------------|';
    const bought = '-----------bob12=ink---------ada5=tea-------|';
    const left = '  -----------ada1=home/nothing-ada5=home/tea--|';

    const store = storeOf({ before: 10, after: 10 });
    const joined = cold(...diagram(seen)).pipe(joinStream(cold(...diagram(bought)), store, both, { kind: 'left' }));
    expectObservable(joined).toBe(...diagram(left));
  });
});
